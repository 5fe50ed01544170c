# Leaving and entering the kernel on x86_64.
#
# A trap frame, from low addresses to high: r15 … rax (15 words), vector, error code, and what the CPU pushes: rip, cs,
# rflags, rsp, ss. It is the layout of trap.rs's `Registers`.

.set FRAME_WORDS, 22
.set OFFSET_CS, 18 * 8
.set OFFSET_VECTOR, 15 * 8

.macro push_registers
    push rax
    push rcx
    push rdx
    push rdi
    push rsi
    push rbp
    push rbx
    push r8
    push r9
    push r10
    push r11
    push r12
    push r13
    push r14
    push r15
.endm

.macro pop_registers
    pop r15
    pop r14
    pop r13
    pop r12
    pop r11
    pop r10
    pop r9
    pop r8
    pop rbx
    pop rbp
    pop rsi
    pop rdi
    pop rdx
    pop rcx
    pop rax
.endm

.section .text.trap, "ax"

# fn enter_user(registers: *mut Registers, stack: *mut u64)
#
# Runs the program whose registers the first argument points to, and returns when it traps, with the registers updated.
# The second argument points to the TSS's stack pointer for traps out of user mode.
.global enter_user
enter_user:
    push rbx
    push rbp
    push r12
    push r13
    push r14
    push r15
    push rdi
    # Seven words and the return address: the stack pointer is a multiple of 16, which is what the CPU rounds it to
    # before it pushes a frame.
    mov [rsi], rsp
    mov [rip + kernel_stack_pointer], rsp
    # Whatever selectors an earlier program has left. The stack segment comes with iretq.
    xor eax, eax
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov rsp, rdi
    pop_registers
    add rsp, 16
    iretq

# The `syscall` instruction: rcx is the user's rip and r11 its rflags; the stack is still the user's. One CPU, so two
# variables do where many CPUs need a per-CPU area behind gs.
.global syscall_entry
syscall_entry:
    mov [rip + user_stack_pointer], rsp
    mov rsp, [rip + kernel_stack_pointer]
    push {user_data}
    push qword ptr [rip + user_stack_pointer]
    push r11
    push {user_code}
    push rcx
    push 0
    push {syscall_vector}
    # Falls through.

trap_common:
    push_registers
    # Interrupts, direction and alignment checks off, whatever the program had set.
    push 2
    popfq
    test byte ptr [rsp + OFFSET_CS], 3
    jz 1f

    # From a program: copy the frame to where enter_user's caller wants it, and return from enter_user. A frame may lie
    # on a stack of its own, so the way back is through the saved stack pointer.
    mov rsi, rsp
    mov rsp, [rip + kernel_stack_pointer]
    pop rdi
    mov ecx, FRAME_WORDS
    rep movsq
    pop r15
    pop r14
    pop r13
    pop r12
    pop rbp
    pop rbx
    ret

    # From the kernel.
1:  mov rdi, rsp
    mov rbx, rsp
    and rsp, -16
    call {kernel_trap}
    mov rsp, rbx
    pop_registers
    add rsp, 16
    iretq

# Accesses that may fault. They return 0; the handler of a fault makes them go on at probe_faulted, which returns 1.
.global probe_read, probe_write, probe_jump, probe_faulted
probe_read:
    mov al, [rdi]
    xor eax, eax
    ret
probe_write:
    mov al, [rdi]
    mov [rdi], al
    xor eax, eax
    ret
probe_jump:
    jmp rdi
probe_faulted:
    mov eax, 1
    ret

# One entry of 16 bytes for each vector. The CPU pushes an error code for some; the others push a zero in its place.
.balign 16
.global trap_vectors
trap_vectors:
.set vector, 0
.rept 256
    .balign 16
    .if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21) || (vector == 29) || (vector == 30)
    .else
    push 0
    .endif
    push vector
    jmp trap_common
    .set vector, vector + 1
.endr

.section .bss.trap, "aw", @nobits
.balign 8
kernel_stack_pointer: .skip 8
user_stack_pointer: .skip 8
