# First instructions on riscv64.
#
# The loader enters at the link address, with paging on and the boot record's address in a0. Firmware that starts the
# kernel itself enters at a physical address without paging, with the hart's number in a0 and the device tree's address in a1.

.section .text.head, "ax"
.global _start
_start:
    csrw sie, zero
    csrci sstatus, 2
    csrw sscratch, zero
    lla s0, _start                  # physical, or the link address
    bgez s0, 1f
    lla sp, kernel_stack_top
    li s0, 0
    li ra, 0
    lla t0, {loader_entry}
    jr t0

    # The first hart here starts the kernel. OpenSBI 1.1 marks a hart as starting before it notes where: one that looks in
    # between enters here as well, and what it needs is where every hart that is started finds it.
1:  lla t0, boot_begun
    li t1, 1
.option push
.option arch, +a
    amoswap.w.aqrl t1, t1, (t0)
.option pop
    beqz t1, 2f
    lla a1, {start}
    lla t0, secondary_start
    jr t0

2:  mv s1, a0
    mv s2, a1
    lla t0, kernel_bss
    lla t1, kernel_image_end
3:  sd zero, 0(t0)
    addi t0, t0, 8
    bltu t0, t1, 3b

    # Entries: valid, readable, writable, executable, accessed, dirty.
    lla t0, boot_root
    li t1, 0
    li t2, 64                       # 64 GiB at their own address
4:  slli t3, t1, 28
    ori t3, t3, 0xcf
    slli t4, t1, 3
    add t4, t4, t0
    sd t3, 0(t4)
    addi t1, t1, 1
    bltu t1, t2, 4b
    lla t5, boot_high
    srli t3, t5, 2
    ori t3, t3, 1                   # a table
    li t4, 510 * 8
    add t4, t4, t0
    sd t3, 0(t4)
    # 2 MiB pages from the image's first on, at its link address.
    srli t3, s0, 2
    ori t3, t3, 0xcf
    li t1, 1
    li t2, 512
    li t6, 0x200000 >> 2
5:  slli t4, t1, 3
    add t4, t4, t5
    sd t3, 0(t4)
    add t3, t3, t6
    addi t1, t1, 1
    bltu t1, t2, 5b

    srli t0, t0, 12
    li t1, 0x8000000000000000                  # Sv39
    or t0, t0, t1
    sfence.vma
    csrw satp, t0
    sfence.vma

    lla t1, boot_targets
    ld sp, 0(t1)
    ld t0, 8(t1)
    mv a0, s1
    mv a1, s2
    mv a2, s0
    li s0, 0
    li ra, 0
    jr t0

# Not in the code, because the kernel changes all addresses when it moves its image.
.section .data.boot, "aw"
.balign 8
boot_targets:
    .quad kernel_stack_top
    .quad {direct_entry}

# Where firmware starts further harts, without paging and with the physical address of start.rs's `Start` in a1. One page
# of tables maps this code at its own address, so it must not cross the end of a page.
.section .text.start, "ax"
.balign 256
.global secondary_start
secondary_start:
    csrw sie, zero
    csrci sstatus, 2
    ld t0, 0(a1)
    ld sp, 8(a1)
    ld t1, 16(a1)
    ld a0, 24(a1)
    sfence.vma
    csrw satp, t0
    sfence.vma
    li s0, 0
    li ra, 0
    jr t1

# Not in what is zeroed above.
.section .data.boot, "aw"
.balign 4
boot_begun: .word 0

.section .bss.boot, "aw", @nobits
.balign 4096
boot_root: .skip 4096
boot_high: .skip 4096
