// First instructions on aarch64.
//
// The image begins with the 64-byte header of a Linux kernel, so that QEMU's -kernel gives a flat image the device tree
// and the initrd. The loader enters at the same place. The program counter tells them apart: the loader enters at the
// link address with the MMU on and the boot record's address in x0; the others enter at a physical address with the
// MMU off and the device tree's address in x0.

// Goes on at `target` in EL1. From EL2: lets EL1 be aarch64, with its timers and without traps.
.macro enter_el1 target
    mrs x1, CurrentEL
    cmp x1, #8
    b.ne \target
    mov x1, #0x80000000
    msr hcr_el2, x1
    mov x1, #3
    msr cnthctl_el2, x1
    msr cntvoff_el2, xzr
    mov x1, #0x33ff
    msr cptr_el2, x1
    msr hstr_el2, xzr
    msr vttbr_el2, xzr
    mrs x1, midr_el1
    msr vpidr_el2, x1
    mrs x1, mpidr_el1
    msr vmpidr_el2, x1
    mov x1, #0x0800                 // SCTLR_EL1: only the bits that are always one
    movk x1, #0x30d0, lsl #16
    msr sctlr_el1, x1
    mov x1, #0x3c5                  // EL1 with its own stack pointer, everything masked
    msr spsr_el2, x1
    adr x1, \target
    msr elr_el2, x1
    eret
.endm

.section .text.head, "ax"
.global _start
_start:
    b 1f
    .long 0
    .quad 0                         // offset from a 2 MiB boundary
    .quad kernel_image_size
    .quad 0xa                       // little endian, 4 KiB pages, anywhere in memory
    .quad 0, 0, 0
    .ascii "ARM\x64"
    .long 0
1:  adr x19, _start                 // physical, or the link address
    tbz x19, #63, 2f
    msr daifset, #15
    msr spsel, #1
    adrp x1, kernel_stack_top
    add x1, x1, :lo12:kernel_stack_top
    mov sp, x1
    mov x29, xzr
    mov x30, xzr
    b {loader_entry}

2:  msr daifset, #15
    mov x20, x0                     // the device tree
    enter_el1 at_el1

at_el1:
    msr spsel, #1
    // Whoever loaded a flat image did not clear what is not in it.
    adrp x1, kernel_bss
    adrp x2, kernel_image_end
3:  stp xzr, xzr, [x1], #16
    cmp x1, x2
    b.lo 3b

    adrp x1, boot_low_0
    adrp x2, boot_low_1
    adrp x3, boot_high_0
    adrp x4, boot_high_1
    adrp x5, boot_high_2
    orr x6, x2, #3                  // tables
    str x6, [x1]
    orr x6, x4, #3
    str x6, [x3, #511 * 8]
    orr x6, x5, #3
    str x6, [x4, #510 * 8]
    mov x6, #0x401                  // first GiB: devices, never executed
    movk x6, #0x60, lsl #48
    str x6, [x2]
    mov x6, #0x70d                  // cached, shared: 1 GiB to 64 GiB
    mov x7, #1
4:  orr x8, x6, x7, lsl #30
    str x8, [x2, x7, lsl #3]
    add x7, x7, #1
    cmp x7, #64
    b.ne 4b
    // 2 MiB blocks from the image's first on, at its link address.
    orr x8, x6, x19
    mov x7, #1
5:  str x8, [x5, x7, lsl #3]
    add x8, x8, #0x200000
    add x7, x7, #1
    cmp x7, #512
    b.ne 5b

    ldr x6, ={mair}
    msr mair_el1, x6
    ldr x6, =0xb5103510             // as in cpu.rs
    mrs x7, id_aa64mmfr0_el1
    and x7, x7, #0xf
    mov x8, #5
    cmp x7, x8
    csel x7, x7, x8, lo
    orr x6, x6, x7, lsl #32
    msr tcr_el1, x6
    msr ttbr0_el1, x1
    msr ttbr1_el1, x3
    dsb sy
    ic iallu
    tlbi vmalle1
    dsb sy
    isb
    mrs x6, sctlr_el1
    mov x7, #0x1005                 // instruction cache, data cache, MMU
    orr x6, x6, x7
    bic x6, x6, #0x2                // no alignment checks
    bic x6, x6, #0x80000            // writable pages may be executed: the image is mapped as a whole here
    msr sctlr_el1, x6
    isb

    adrp x7, boot_targets
    add x7, x7, :lo12:boot_targets
    ldp x6, x7, [x7]
    mov sp, x6
    mov x0, x20
    mov x1, x19
    mov x29, xzr
    mov x30, xzr
    br x7
.ltorg

// Not in the code, because the kernel changes all addresses when it moves its image.
.section .data.boot, "aw"
.balign 16
boot_targets:
    .quad kernel_stack_top
    .quad {direct_entry}

// Where firmware starts further CPUs, with the MMU off and the physical address of start.rs's `Start` in x0. One page of
// tables maps this code at its own address, so it must not cross the end of a page.
.section .text.start, "ax"
.balign 512
.global secondary_start
secondary_start:
    msr daifset, #15
    mov x20, x0
    enter_el1 secondary_at_el1
secondary_at_el1:
    msr spsel, #1
    ldp x1, x2, [x20]
    ldp x3, x4, [x20, #16]
    ldp x5, x6, [x20, #32]
    ldr x0, [x20, #48]
    msr mair_el1, x1
    msr tcr_el1, x2
    msr ttbr0_el1, x3
    msr ttbr1_el1, x4
    dsb sy
    ic iallu
    tlbi vmalle1
    dsb sy
    isb
    mrs x7, sctlr_el1
    mov x8, #0x1005                 // instruction cache, data cache, MMU
    orr x7, x7, x8
    bic x7, x7, #0x2                // no alignment checks
    msr sctlr_el1, x7
    isb
    mov sp, x5
    mov x29, xzr
    mov x30, xzr
    br x6

.section .bss.boot, "aw", @nobits
.balign 4096
boot_low_0: .skip 4096
boot_low_1: .skip 4096
boot_high_0: .skip 4096
boot_high_1: .skip 4096
boot_high_2: .skip 4096
