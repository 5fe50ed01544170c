# First instructions on x86_64.
#
# The loader enters at _start in 64-bit mode with the boot record's address in rdi. QEMU's -kernel finds the PVH note
# and enters at pvh_start in 32-bit mode without paging, with the address of a start-info record in ebx. A Multiboot2
# boot loader, GRUB on a machine with a BIOS, finds the Multiboot2 header and enters at multiboot_start in the same mode,
# with a magic number in eax and the address of its boot information in ebx.

.global boot_stack_top
.global boot_high
.global boot_pd
.global boot_pdpt
.global boot_pml4
.global boot_gdt_pointer
.global boot_gdt
.global pvh_start64

.section .text.head, "ax"
.global _start
_start:
    lea rsp, [rip + kernel_stack_top]
    xor ebp, ebp
    call {loader_entry}
    ud2

.section .note.pvh, "a"
.balign 4
    .long 4                         # length of the name
    .long 4                         # length of the value
    .long 18                        # XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .long address_of_pvh_start

# Multiboot2 Specification 2.0, section 3.1: within the file's first 32 KiB, at a multiple of 8. A boot loader has to give
# a memory map and modules that start at pages; the root pointer of ACPI it gives when there is one.
.section .boot.header, "a"
.balign 8
multiboot_header:
    .long 0xe85250d6                # magic
    .long 0                         # 32-bit protected mode of i386
    .long multiboot_header_end - multiboot_header
    .long 0x100000000 - 0xe85250d6 - (multiboot_header_end - multiboot_header)
    .short 1, 0                     # information request
    .long 12
    .long 6                         # memory map
    .balign 8
    .short 3, 0                     # entry address
    .long 12
    .long address_of_multiboot_start
    .balign 8
    .short 6, 0                     # modules at pages
    .long 8
    .short 0, 0                     # end
    .long 8
multiboot_header_end:

# Everything from here on runs at its physical address.
.section .boot, "ax"
.code32
.global multiboot_start
multiboot_start:
    mov esi, eax
    jmp 3f
.global pvh_start
pvh_start:
    xor esi, esi
3:  cli
    cld
    mov edi, ebx
    mov esp, offset address_of_stack_top  # nobody has promised a stack

    # Four tables of 2 MiB pages map the first 4 GiB at their own address; a fifth one, with the same entries as the first,
    # serves the GiB in which the kernel is linked. The kernel changes it when it moves its image.
    mov ecx, 512
    mov eax, 0x83                   # present, writable, large
    mov edx, offset address_of_high
4:  mov dword ptr [edx], eax
    add edx, 8
    add eax, 0x200000
    dec ecx
    jnz 4b
    mov ecx, 2048
    mov eax, 0x83
    mov edx, offset address_of_pd
1:  mov dword ptr [edx], eax
    add edx, 8
    add eax, 0x200000
    dec ecx
    jnz 1b

    mov edx, offset address_of_pdpt
    mov eax, offset address_of_high + 3   # present, writable
    mov dword ptr [edx + 510 * 8], eax
    mov eax, offset address_of_pd + 3
    mov ecx, 4
2:  mov dword ptr [edx], eax
    add edx, 8
    add eax, 4096
    dec ecx
    jnz 2b

    mov edx, offset address_of_pml4
    mov eax, offset address_of_pdpt + 3
    mov dword ptr [edx], eax
    mov dword ptr [edx + 511 * 8], eax
    mov cr3, edx

    mov eax, cr4
    or eax, 0x20                    # physical address extension
    mov cr4, eax
    mov ecx, 0xc0000080             # EFER: long mode, no-execute
    rdmsr
    or eax, 0x900
    wrmsr
    mov eax, cr0
    or eax, 0x80010001              # paging, write protection, protected mode
    mov cr0, eax

    lgdt [address_of_gdt_pointer]
    push 8
    mov eax, offset address_of_start64
    push eax
    retf

.code64
pvh_start64:
    mov eax, 16
    mov ds, eax
    mov es, eax
    mov ss, eax
    xor eax, eax
    mov fs, eax
    mov gs, eax
    lea rsp, [rip + kernel_stack_top]
    xor ebp, ebp
    mov edi, edi                    # clears the upper half
    mov esi, esi
    call {direct_entry}
    ud2

.balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9a000000ffff        # 64-bit code
    .quad 0x00cf92000000ffff        # data
boot_gdt_pointer:
    .short 23
    .long address_of_gdt

# Whoever loads the image fills this with zeros.
.section .boot.tables, "aw", @nobits
.balign 4096
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pd: .skip 4 * 4096
boot_high: .skip 4096
.skip 64
boot_stack_top:
