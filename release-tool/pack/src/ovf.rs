//! The description of a virtual machine (DMTF DSP0243, the Open Virtualization Format, version 1.1), as VirtualBox and
//! VMware take it.
//!
//! The format has no word for firmware. VirtualBox reads it from a copy of its own settings in the description, VMware from
//! an extension of the hardware; both are marked as not required, so that others pass them over.

use crate::Ids;
use vrel_model::Arch;

/// An operating system of 64 bits without a number of its own (CIM_OperatingSystem.OSType).
const OTHER_64_BIT: u32 = 102;

/// What is to be described.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine<'a> {
    /// The virtual machine's name.
    pub(crate) name: &'a str,
    /// What runs in it, for people.
    pub(crate) product: &'a str,
    pub(crate) version: &'a str,
    pub(crate) arch: Arch,
    /// The disk's file.
    pub(crate) disk: &'a str,
    /// The disk's size in bytes.
    pub(crate) capacity: u64,
    /// In MiB.
    pub(crate) memory: u64,
    pub(crate) cpus: u32,
}

/// The descriptor.
pub(crate) fn describe(machine: &Machine<'_>, ids: &Ids) -> String {
    let Machine {
        disk,
        capacity,
        memory,
        cpus,
        ..
    } = *machine;
    let [name, product, version] = [machine.name, machine.product, machine.version].map(escape);
    let disk_uuid = ids.uuid("vmdk");
    let system = system_name(machine.arch);
    // An optional element, left out where it would be made up.
    let family = match machine.arch {
        Arch::X86_64 | Arch::Aarch64 => {
            "\n        <vssd:VirtualSystemType>virtualbox-2.2</vssd:VirtualSystemType>"
        }
        Arch::Riscv64 => "",
    };
    let settings = virtualbox(machine, ids);
    // Elements of an item stand in alphabetical order: the schema asks for it.
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Envelope ovf:version="1.0" xml:lang="en-GB" xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" xmlns:rasd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData" xmlns:vssd="http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData" xmlns:vbox="http://www.virtualbox.org/ovf/machine" xmlns:vmw="http://www.vmware.com/schema/ovf">
  <References>
    <File ovf:id="file1" ovf:href="{disk}"/>
  </References>
  <DiskSection>
    <Info>The virtual disk</Info>
    <Disk ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:capacity="{capacity}" ovf:format="http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized" vbox:uuid="{disk_uuid}"/>
  </DiskSection>
  <VirtualSystem ovf:id="{name}">
    <Info>A virtual machine with {product} {version}</Info>
    <Name>{name}</Name>
    <ProductSection>
      <Info>The system on the disk</Info>
      <Product>{product}</Product>
      <Version>{version}</Version>
    </ProductSection>
    <OperatingSystemSection ovf:id="{OTHER_64_BIT}">
      <Info>The kind of operating system</Info>
      <Description>{system}</Description>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>What the virtual machine needs: {cpus} processors, {memory} MiB of memory, UEFI</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>{name}</vssd:VirtualSystemIdentifier>{family}
      </System>
      <Item>
        <rasd:Description>Number of virtual processors</rasd:Description>
        <rasd:ElementName>{cpus} virtual processors</rasd:ElementName>
        <rasd:InstanceID>1</rasd:InstanceID>
        <rasd:ResourceType>3</rasd:ResourceType>
        <rasd:VirtualQuantity>{cpus}</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>
        <rasd:Description>Memory size</rasd:Description>
        <rasd:ElementName>{memory} MiB of memory</rasd:ElementName>
        <rasd:InstanceID>2</rasd:InstanceID>
        <rasd:ResourceType>4</rasd:ResourceType>
        <rasd:VirtualQuantity>{memory}</rasd:VirtualQuantity>
      </Item>
      <Item>
        <rasd:Address>0</rasd:Address>
        <rasd:Description>SATA controller</rasd:Description>
        <rasd:ElementName>SATA</rasd:ElementName>
        <rasd:InstanceID>3</rasd:InstanceID>
        <rasd:ResourceSubType>AHCI</rasd:ResourceSubType>
        <rasd:ResourceType>20</rasd:ResourceType>
      </Item>
      <Item>
        <rasd:AddressOnParent>0</rasd:AddressOnParent>
        <rasd:Description>System disk</rasd:Description>
        <rasd:ElementName>disk1</rasd:ElementName>
        <rasd:HostResource>ovf:/disk/vmdisk1</rasd:HostResource>
        <rasd:InstanceID>4</rasd:InstanceID>
        <rasd:Parent>3</rasd:Parent>
        <rasd:ResourceType>17</rasd:ResourceType>
      </Item>
      <vmw:Config ovf:required="false" vmw:key="firmware" vmw:value="efi"/>
    </VirtualHardwareSection>
{settings}  </VirtualSystem>
</Envelope>
"#
    )
}

/// VirtualBox's name for the kind of system. There is none for riscv64, which no product that imports such packages runs:
/// that package is for those who take the disk out.
fn system_name(arch: Arch) -> &'static str {
    match arch {
        Arch::X86_64 => "Other_64",
        Arch::Aarch64 => "Other_arm64",
        Arch::Riscv64 => "Other",
    }
}

/// VirtualBox's own settings, which it takes instead of the general ones.
fn virtualbox(machine: &Machine<'_>, ids: &Ids) -> String {
    let name = escape(machine.name);
    let kind = system_name(machine.arch);
    let uuid = ids.uuid("virtualbox machine");
    let disk = ids.uuid("vmdk");
    let Machine { memory, cpus, .. } = *machine;
    match machine.arch {
        // In the form that VirtualBox reads since 5.1.
        Arch::X86_64 => format!(
            r#"    <vbox:Machine ovf:required="false" version="1.16-linux" uuid="{{{uuid}}}" name="{name}" OSType="{kind}">
      <ovf:Info>Settings of VirtualBox</ovf:Info>
      <Hardware>
        <CPU count="{cpus}">
          <PAE enabled="true"/>
          <LongMode enabled="true"/>
        </CPU>
        <Memory RAMSize="{memory}"/>
        <Firmware type="EFI"/>
        <BIOS>
          <IOAPIC enabled="true"/>
        </BIOS>
        <RTC localOrUTC="UTC"/>
      </Hardware>
      <StorageControllers>
        <StorageController name="SATA" type="AHCI" PortCount="1" useHostIOCache="false" Bootable="true">
          <AttachedDevice type="HardDisk" hotpluggable="false" port="0" device="0">
            <Image uuid="{{{disk}}}"/>
          </AttachedDevice>
        </StorageController>
      </StorageControllers>
    </vbox:Machine>
"#
        ),
        // In the form of 7.1, the first that has ARM machines.
        Arch::Aarch64 => format!(
            r#"    <vbox:Machine ovf:required="false" version="1.20-linux" uuid="{{{uuid}}}" name="{name}" OSType="{kind}">
      <ovf:Info>Settings of VirtualBox</ovf:Info>
      <Hardware>
        <Memory RAMSize="{memory}"/>
        <Firmware type="EFI"/>
        <StorageControllers>
          <StorageController name="SATA" type="AHCI" PortCount="1" useHostIOCache="false" Bootable="true">
            <AttachedDevice type="HardDisk" hotpluggable="false" port="0" device="0">
              <Image uuid="{{{disk}}}"/>
            </AttachedDevice>
          </StorageController>
        </StorageControllers>
      </Hardware>
      <Platform architecture="ARM">
        <RTC localOrUTC="UTC"/>
        <Chipset type="ARMv8Virtual"/>
        <CPU count="{cpus}"/>
      </Platform>
    </vbox:Machine>
"#
        ),
        Arch::Riscv64 => String::new(),
    }
}

/// Text as it may stand in an element or in an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
