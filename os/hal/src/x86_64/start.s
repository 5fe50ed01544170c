# First instructions of further CPUs on x86_64: a copy of this lies in one page below 1 MiB, where a CPU starts in real mode
# at offset 0 of its code segment. start.rs fills the words in that depend on where the page and the kernel are.

.set ROOT, 8
.set GDT_POINTER, 16

.section .rodata.start, "a"
.balign 16
.global start_code, start_code_end, start_gdt, start_gdt_base, start_root, start_target, start_64, start_entry, start_high
.code16
start_code:
    jmp 1f
.balign 8
start_root:                         # at ROOT
    .long 0
.balign 8
start_gdt_pointer:                  # at GDT_POINTER
    .short 23
start_gdt_base:
    .long 0
1:  cli
    cld
    mov ax, cs
    mov ds, ax
    lgdt [GDT_POINTER]
    mov eax, 0x20                   # physical address extension
    mov cr4, eax
    mov eax, dword ptr [ROOT]
    mov cr3, eax
    mov ecx, 0xc0000080             # EFER: long mode, no-execute
    rdmsr
    or eax, 0x900
    wrmsr
    mov eax, 0x80010001             # paging, write protection, protected mode; caches on
    mov cr0, eax
    .byte 0x66, 0xea                # far jump, to 32 bits of address
start_target:
    .long 0
    .short 8

.code64
start_64:
    mov eax, 16
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov rax, [rip + start_entry]
    jmp rax

.balign 8
start_entry:
    .quad 0
# The CPU does not have to note that they were used: the page is read-only.
start_gdt:
    .quad 0
    .quad 0x00af9b000000ffff        # 64-bit code
    .quad 0x00cf93000000ffff        # data
start_code_end:

.section .text.start, "ax"
start_high:
    mov rsp, [rip + {stack}]
    mov rdi, [rip + {index}]
    xor ebp, ebp
    call {secondary_entry}
    ud2
