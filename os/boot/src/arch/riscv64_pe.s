# The headers of a PE32+ EFI application for riscv64 (Microsoft PE/COFF specification; UEFI 2.10 section
# 2.1.1), and the entry that relocates the image before any Rust code runs. Sizes are written as differences
# to `image_base`, because a lone linker symbol would be an absolute relocation, which a position-independent
# image cannot have.

    .section .pe.header, "a"
    .option push
    .option norvc
    .option norelax

image_base:
    .ascii "MZ"
    .skip 58                        # the DOS header is of use to nobody but for the offset that follows it
    .long pe_header - image_base

pe_header:
    .ascii "PE\0\0"
    .short 0x5064                   # machine: RISC-V 64
    .short 2                        # sections
    .long 0                         # time stamp: none, the build is reproducible
    .long 0, 0                      # no symbol table
    .short section_table - optional_header
    .short 0x020e                   # executable, no line numbers, no local symbols, no debug data

optional_header:
    .short 0x20b                    # PE32+
    .byte 0, 0                      # linker version
    .long _code_end - _code         # size of code
    .long _data_end - _data         # size of initialised data
    .long 0                         # size of uninitialised data
    .long _start - image_base       # entry point
    .long _code - image_base        # base of code
    .quad 0                         # preferred base: none, the entry relocates the image itself
    .long 0x1000, 0x1000            # section and file alignment
    .short 0, 0                     # operating system version
    .short 0, 0                     # image version
    .short 0, 0                     # subsystem version
    .long 0
    .long _data_end - image_base    # size of image
    .long _code - image_base        # size of headers
    .long 0                         # checksum
    .short 10                       # subsystem: EFI application
    .short 0x0100                   # NX compatible
    .quad 0, 0, 0, 0                # stack and heap sizes: EFI has its own
    .long 0
    .long 6                         # data directories, all empty: no imports, no PE relocations
    .quad 0, 0, 0, 0, 0, 0

section_table:
    .ascii ".text\0\0\0"
    .long _code_end - _code         # virtual size
    .long _code - image_base
    .long _code_end - _code         # size in the file
    .long _code - image_base
    .long 0, 0
    .short 0, 0
    .long 0x60000020                # code, executable, readable

    .ascii ".data\0\0\0"
    .long _data_end - _data
    .long _data - image_base
    .long _data_end - _data
    .long _data - image_base
    .long 0, 0
    .short 0, 0
    .long 0xc0000040                # initialised data, readable, writable

    .section .text.entry, "ax"
    .balign 4
    .global _start
# a0 = image handle, a1 = system table; both go on to efi_main, whose result goes back to the firmware.
_start:
    lla t0, image_base              # where we are; 0 in the file, so also what relocations add
    lla t1, _rela
    lla t2, _rela_end
    li t3, 3                        # R_RISCV_RELATIVE
1:
    bgeu t1, t2, 3f
    ld t4, 8(t1)                    # type
    bne t4, t3, 2f
    ld t5, 0(t1)                    # where
    ld t6, 16(t1)                   # what, before the offset
    add t5, t5, t0
    add t6, t6, t0
    sd t6, 0(t5)
2:
    addi t1, t1, 24
    j 1b
3:
    tail efi_main

    .option pop
