# Leaving and entering the kernel on riscv64.
#
# A trap frame: x1 … x31 (31 words), pc, sstatus, scause, stval. It is the layout of trap.rs's `Registers`; register xN is
# at offset (N - 1) * 8. While a program runs, sscratch holds the kernel's stack pointer; in the kernel it is zero, and tp
# holds the address of the CPU's `Local`.

.set OFFSET_SP, 1 * 8
.set OFFSET_T0, 4 * 8
.set OFFSET_PC, 31 * 8
.set OFFSET_STATUS, 32 * 8
.set OFFSET_CAUSE, 33 * 8
.set OFFSET_VALUE, 34 * 8
.set FRAME, 36 * 8

# x1, x3, x4 and x6 to x31: all but the stack pointer and t0.
.macro each_register op, base
    \op x1, 0 * 8(\base)
    \op x3, 2 * 8(\base)
    \op x4, 3 * 8(\base)
    \op x6, 5 * 8(\base)
    \op x7, 6 * 8(\base)
    \op x8, 7 * 8(\base)
    \op x9, 8 * 8(\base)
    \op x10, 9 * 8(\base)
    \op x11, 10 * 8(\base)
    \op x12, 11 * 8(\base)
    \op x13, 12 * 8(\base)
    \op x14, 13 * 8(\base)
    \op x15, 14 * 8(\base)
    \op x16, 15 * 8(\base)
    \op x17, 16 * 8(\base)
    \op x18, 17 * 8(\base)
    \op x19, 18 * 8(\base)
    \op x20, 19 * 8(\base)
    \op x21, 20 * 8(\base)
    \op x22, 21 * 8(\base)
    \op x23, 22 * 8(\base)
    \op x24, 23 * 8(\base)
    \op x25, 24 * 8(\base)
    \op x26, 25 * 8(\base)
    \op x27, 26 * 8(\base)
    \op x28, 27 * 8(\base)
    \op x29, 28 * 8(\base)
    \op x30, 29 * 8(\base)
    \op x31, 30 * 8(\base)
.endm

# What enter_user keeps for its caller, which counts on nothing else.
.macro each_kept op
    \op ra, 1 * 8(sp)
    \op tp, 2 * 8(sp)
    \op s0, 3 * 8(sp)
    \op s1, 4 * 8(sp)
.endm

.section .text.trap, "ax"

# fn enter_user(registers: *mut Registers)
#
# Runs the program whose registers a0 points to, and returns when it traps, with the registers updated. Other registers than
# those above hold what the program left there.
.global enter_user
enter_user:
    addi sp, sp, -6 * 8
    each_kept sd
    sd a0, 0(sp)
    csrw sscratch, sp
    ld t0, OFFSET_PC(a0)
    csrw sepc, t0
    ld t0, OFFSET_STATUS(a0)
    csrw sstatus, t0
    mv t0, a0
    each_register ld, t0
    ld sp, OFFSET_SP(t0)
    ld t0, OFFSET_T0(t0)
    sret

# Accesses that may fault. They return 0; the handler of a fault makes them go on at probe_faulted, which returns 1.
.global probe_read, probe_write, probe_jump, probe_timer_compare, probe_faulted
probe_read:
    lbu a1, 0(a0)
    li a0, 0
    ret
probe_write:
    lbu a1, 0(a0)
    sb a1, 0(a0)
    li a0, 0
    ret
probe_jump:
    jr a0
probe_timer_compare:
    csrw 0x14d, a0                  # stimecmp
    li a0, 0
    ret
probe_faulted:
    li a0, 1
    ret

.balign 4
.global trap_entry
trap_entry:
    csrrw sp, sscratch, sp
    beqz sp, from_kernel

    # From a program. Below the stack pointer there is room for one word: nothing interrupts here.
    sd t0, -8(sp)
    ld t0, 0(sp)
    each_register sd, t0
    ld t1, -8(sp)
    sd t1, OFFSET_T0(t0)
    csrrw t1, sscratch, zero
    sd t1, OFFSET_SP(t0)
    csrr t1, sepc
    sd t1, OFFSET_PC(t0)
    csrr t1, sstatus
    sd t1, OFFSET_STATUS(t0)
    csrr t1, scause
    sd t1, OFFSET_CAUSE(t0)
    csrr t1, stval
    sd t1, OFFSET_VALUE(t0)
    each_kept ld
    addi sp, sp, 6 * 8
    ret

    # From the kernel. Its stacks lie where bit 16 of their addresses is clear, and the page below the stack where it is
    # set: that is how a used-up stack is seen with no register to spare. The frame then goes to the emergency stack.
from_kernel:
    csrr sp, sscratch
    slli sp, sp, 63 - 16
    bltz sp, 1f
    csrr sp, sscratch
    j 2f
1:  ld sp, {emergency_stack}(tp)
2:  addi sp, sp, -FRAME
    sd t0, OFFSET_T0(sp)
    each_register sd, sp
    csrrw t0, sscratch, zero
    sd t0, OFFSET_SP(sp)
    csrr t0, sepc
    sd t0, OFFSET_PC(sp)
    csrr t0, sstatus
    sd t0, OFFSET_STATUS(sp)
    csrr t0, scause
    sd t0, OFFSET_CAUSE(sp)
    csrr t0, stval
    sd t0, OFFSET_VALUE(sp)
    # A frame record, as if the interrupted function had called.
    mv a0, sp
    ld t0, OFFSET_PC(sp)
    addi sp, sp, -16
    sd t0, 8(sp)
    sd s0, 0(sp)
    addi s0, sp, 16
    call {kernel_trap}
    addi sp, sp, 16
    ld t0, OFFSET_PC(sp)
    csrw sepc, t0
    ld t0, OFFSET_STATUS(sp)
    csrw sstatus, t0
    each_register ld, sp
    ld t0, OFFSET_T0(sp)
    # Back on the kernel's own stack only: a trap that came with the stack used up does not return.
    addi sp, sp, FRAME
    sret
