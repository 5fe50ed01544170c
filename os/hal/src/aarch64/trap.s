// Leaving and entering the kernel on aarch64.
//
// A trap frame: x0 … x30 (31 words), sp, elr, spsr, esr, far, tpidr_el0, and one word to make it a multiple of 16. It is
// the layout of trap.rs's `Registers`. In the kernel tpidr_el1 holds the address of the CPU's `Local`.

.set OFFSET_X30, 30 * 8
.set OFFSET_ELR, 32 * 8
.set OFFSET_ESR, 34 * 8
.set OFFSET_FAR, 35 * 8
.set FRAME, 38 * 8

.section .text.trap, "ax"

// fn enter_user(registers: *mut Registers) -> u64
//
// Runs the program whose registers x0 points to, and returns the kind of trap when it traps, with the registers updated.
// But for x19, x29 and x30, registers hold what the program left there.
.global enter_user
enter_user:
    stp x29, x30, [sp, #-32]!
    stp x19, x0, [sp, #16]
    ldp x1, x2, [x0, #31 * 8]
    msr sp_el0, x1
    msr elr_el1, x2
    ldr x1, [x0, #33 * 8]
    ldr x2, [x0, #36 * 8]
    msr spsr_el1, x1
    msr tpidr_el0, x2
    ldp x2, x3, [x0, #2 * 8]
    ldp x4, x5, [x0, #4 * 8]
    ldp x6, x7, [x0, #6 * 8]
    ldp x8, x9, [x0, #8 * 8]
    ldp x10, x11, [x0, #10 * 8]
    ldp x12, x13, [x0, #12 * 8]
    ldp x14, x15, [x0, #14 * 8]
    ldp x16, x17, [x0, #16 * 8]
    ldp x18, x19, [x0, #18 * 8]
    ldp x20, x21, [x0, #20 * 8]
    ldp x22, x23, [x0, #22 * 8]
    ldp x24, x25, [x0, #24 * 8]
    ldp x26, x27, [x0, #26 * 8]
    ldp x28, x29, [x0, #28 * 8]
    ldr x30, [x0, #OFFSET_X30]
    ldp x0, x1, [x0]
    eret

// From a program, with x0 and x1 on the stack and the kind of trap in x1.
leave_user:
    ldr x0, [sp, #16 + 24]
    stp x2, x3, [x0, #2 * 8]
    stp x4, x5, [x0, #4 * 8]
    stp x6, x7, [x0, #6 * 8]
    stp x8, x9, [x0, #8 * 8]
    stp x10, x11, [x0, #10 * 8]
    stp x12, x13, [x0, #12 * 8]
    stp x14, x15, [x0, #14 * 8]
    stp x16, x17, [x0, #16 * 8]
    stp x18, x19, [x0, #18 * 8]
    stp x20, x21, [x0, #20 * 8]
    stp x22, x23, [x0, #22 * 8]
    stp x24, x25, [x0, #24 * 8]
    stp x26, x27, [x0, #26 * 8]
    stp x28, x29, [x0, #28 * 8]
    str x30, [x0, #OFFSET_X30]
    ldp x2, x3, [sp], #16
    stp x2, x3, [x0]
    mrs x2, sp_el0
    mrs x3, elr_el1
    stp x2, x3, [x0, #31 * 8]
    mrs x2, spsr_el1
    mrs x3, esr_el1
    stp x2, x3, [x0, #33 * 8]
    mrs x2, far_el1
    mrs x3, tpidr_el0
    stp x2, x3, [x0, #OFFSET_FAR]
    mov x0, x1
    ldr x19, [sp, #16]
    ldp x29, x30, [sp], #32
    ret

// From the kernel: the frame has room on the stack and holds x0, x1 and the stack pointer; the kind of trap is in x1.
leave_kernel:
    stp x2, x3, [sp, #2 * 8]
    stp x4, x5, [sp, #4 * 8]
    stp x6, x7, [sp, #6 * 8]
    stp x8, x9, [sp, #8 * 8]
    stp x10, x11, [sp, #10 * 8]
    stp x12, x13, [sp, #12 * 8]
    stp x14, x15, [sp, #14 * 8]
    stp x16, x17, [sp, #16 * 8]
    stp x18, x19, [sp, #18 * 8]
    stp x20, x21, [sp, #20 * 8]
    stp x22, x23, [sp, #22 * 8]
    stp x24, x25, [sp, #24 * 8]
    stp x26, x27, [sp, #26 * 8]
    stp x28, x29, [sp, #28 * 8]
    str x30, [sp, #OFFSET_X30]
    mrs x2, elr_el1
    mrs x3, spsr_el1
    stp x2, x3, [sp, #OFFSET_ELR]
    mrs x2, esr_el1
    mrs x3, far_el1
    stp x2, x3, [sp, #OFFSET_ESR]
    mrs x2, tpidr_el0
    str x2, [sp, #OFFSET_FAR + 8]
    // A frame record, as if the interrupted function had called.
    mov x0, sp
    ldr x2, [sp, #OFFSET_ELR]
    stp x29, x2, [sp, #-16]!
    mov x29, sp
    bl {kernel_trap}
    add sp, sp, #16
    ldp x2, x3, [sp, #OFFSET_ELR]
    msr elr_el1, x2
    msr spsr_el1, x3
    ldp x2, x3, [sp, #2 * 8]
    ldp x4, x5, [sp, #4 * 8]
    ldp x6, x7, [sp, #6 * 8]
    ldp x8, x9, [sp, #8 * 8]
    ldp x10, x11, [sp, #10 * 8]
    ldp x12, x13, [sp, #12 * 8]
    ldp x14, x15, [sp, #14 * 8]
    ldp x16, x17, [sp, #16 * 8]
    ldp x18, x19, [sp, #18 * 8]
    ldp x20, x21, [sp, #20 * 8]
    ldp x22, x23, [sp, #22 * 8]
    ldp x24, x25, [sp, #24 * 8]
    ldp x26, x27, [sp, #26 * 8]
    ldp x28, x29, [sp, #28 * 8]
    ldr x30, [sp, #OFFSET_X30]
    ldp x0, x1, [sp]
    // Back on the kernel's own stack only: a trap that came with the stack used up does not return.
    add sp, sp, #FRAME
    eret

// The same with the stack used up: x0 holds the stack pointer below where the frame would be, and sp the sum of that and
// the interrupted x0. There is no way back from here, so x1 and the program's thread pointer may go.
stack_used_up:
    msr tpidr_el0, x0
    sub x0, sp, x0
    msr tpidrro_el0, x0
    mrs x0, tpidr_el1
    ldr x0, [x0, #{emergency_stack}]
    mov sp, x0
    sub sp, sp, #FRAME
    mrs x0, tpidrro_el0
    stp x0, x1, [sp]
    mrs x0, tpidr_el0
    add x0, x0, #FRAME
    str x0, [sp, #31 * 8]
    b leave_kernel

// Accesses that may fault. They return 0; the handler of a fault makes them go on at probe_faulted, which returns 1.
.global probe_read, probe_write, probe_jump, probe_semihosting, probe_monitor_call, probe_hypervisor_call, probe_faulted
probe_read:
    ldrb w1, [x0]
    mov w0, #0
    ret
probe_write:
    ldrb w1, [x0]
    strb w1, [x0]
    mov w0, #0
    ret
probe_jump:
    br x0
probe_semihosting:
    hlt #0xf000
    mov w0, #0
    ret
probe_monitor_call:
    smc #0
    mov w0, #0
    ret
probe_hypervisor_call:
    hvc #0
    mov w0, #0
    ret
probe_faulted:
    mov w0, #1
    ret

// The kernel's stacks lie where bit 16 of their addresses is clear, and the page below the stack where it is set: that
// is how a used-up stack is seen with no register to spare. The frame then goes to the emergency stack.
.macro from_kernel kind
    .balign 128
    sub sp, sp, #FRAME
    add sp, sp, x0                  // exchanges sp and x0
    sub x0, sp, x0
    tbnz x0, #16, 1f
    sub x0, sp, x0                  // and back
    sub sp, sp, x0
    stp x0, x1, [sp]
    add x0, sp, #FRAME
    str x0, [sp, #31 * 8]
    mov x1, #\kind
    b leave_kernel
1:  mov x1, #\kind
    b stack_used_up
.endm

.macro from_user kind
    .balign 128
    stp x0, x1, [sp, #-16]!
    mov x1, #\kind
    b leave_user
.endm

// Kinds: 0 synchronous, 1 interrupt, 2 fast interrupt, 3 system error; 4 more from 32-bit programs, which don't exist.
.balign 2048
.global trap_vectors
trap_vectors:
    from_kernel 0
    from_kernel 1
    from_kernel 2
    from_kernel 3
    from_kernel 0
    from_kernel 1
    from_kernel 2
    from_kernel 3
    from_user 0
    from_user 1
    from_user 2
    from_user 3
    from_user 4
    from_user 5
    from_user 6
    from_user 7
