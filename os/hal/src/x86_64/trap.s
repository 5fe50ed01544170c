# Leaving and entering the kernel on x86_64.
#
# A trap frame, from low addresses to high: r15 … rax (15 words), vector, error code, and what the CPU pushes: rip, cs,
# rflags, rsp, ss. It is the end of trap.rs's `Registers`. In the kernel the base of gs is the CPU's `Local`; it is exchanged
# (swapgs) at each way in and out.

.set FRAME_WORDS, 22
.set OFFSET_RIP, 17 * 8
.set OFFSET_CS, 18 * 8
.set OFFSET_VECTOR, 15 * 8
# Where the frame begins in `Registers`.
.set OFFSET_R15, 2 * 8

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

# fn enter_user(registers: *mut Registers)
#
# Runs the program whose registers the argument points to, and returns when it traps, with the registers updated. The
# CPU itself pushes its part of the frame to where the program's registers are kept: the task-state segment's stack
# pointer points to their end. But for rbx and rbp, registers hold what the program left there.
.global enter_user
enter_user:
    push rbx
    push rbp
    mov gs:[{kernel_stack}], rsp
    lea rax, [rdi + OFFSET_R15 + FRAME_WORDS * 8]
    mov gs:[{frame_end}], rax
    mov rdx, gs:[{task_stack}]
    mov [rdx], rax
    # Whatever selectors a program has left. The stack segment comes with iretq or sysretq.
    mov eax, ds
    mov ecx, es
    or eax, ecx
    mov ecx, fs
    or eax, ecx
    mov ecx, gs
    or eax, ecx
    jnz 3f
    # A program can clear the base of fs by loading a selector, so one that is not zero is written each time.
1:  mov rax, [rdi]
    mov rdx, gs:[{thread_pointer}]
    or rdx, rax
    jnz 4f
2:  cmp qword ptr [rdi + OFFSET_R15 + OFFSET_VECTOR], {syscall_vector}
    lea rsp, [rdi + OFFSET_R15]
    je 5f
    pop_registers
    add rsp, 16
    swapgs
    iretq

3:  xor eax, eax
    mov ds, eax
    mov es, eax
    mov fs, eax
    # Not while the base is the kernel's: this may clear it.
    swapgs
    mov gs, eax
    swapgs
    jmp 1b
4:  mov gs:[{thread_pointer}], rax
    mov rdx, rax
    shr rdx, 32
    mov ecx, {fs_base}
    wrmsr
    jmp 2b
    # Back from a system call, after which rcx and r11 hold what they do hold here. The return address is canonical: it
    # is a program's, and user space ends far below the middle.
5:  pop_registers
    mov rcx, [rsp + 2 * 8]
    mov r11, [rsp + 4 * 8]
    mov rsp, [rsp + 5 * 8]
    swapgs
    sysretq

# The `syscall` instruction: rcx is the user's rip and r11 its rflags; the stack is still the user's.
.global syscall_entry
syscall_entry:
    swapgs
    mov gs:[{user_stack}], rsp
    mov rsp, gs:[{frame_end}]
    push {user_data}
    push qword ptr gs:[{user_stack}]
    push r11
    push {user_code}
    push rcx
    push 0
    push {syscall_vector}
    push_registers
    mov rsp, gs:[{kernel_stack}]
leave_user:
    pop rbp
    pop rbx
    ret

trap_common:
    push_registers
    test byte ptr [rsp + OFFSET_CS], 3
    jz 2f

    # From a program.
    swapgs
    lea rdi, [rsp + FRAME_WORDS * 8]
    cmp rdi, gs:[{frame_end}]
    je 1f
    # The vector has a stack of its own.
    cld
    mov rsi, rsp
    mov rdi, gs:[{frame_end}]
    sub rdi, FRAME_WORDS * 8
    mov ecx, FRAME_WORDS
    rep movsq
    # Direction and alignment checks off, whatever the program had set.
1:  mov rsp, gs:[{kernel_stack}]
    push 2
    popfq
    jmp leave_user

    # From the kernel. Some vectors can come while gs is still, or again, the program's.
2:  xor r12d, r12d
    mov ecx, {gs_base}
    rdmsr
    test edx, edx
    js 3f
    swapgs
    inc r12d
3:  mov rdi, rsp
    mov r13, rsp
    # A frame record, as if the interrupted function had called.
    push qword ptr [rsp + OFFSET_RIP]
    push rbp
    mov rbp, rsp
    and rsp, -16
    cld
    call {kernel_trap}
    mov rsp, r13
    test r12d, r12d
    jz 4f
    swapgs
4:  pop_registers
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
