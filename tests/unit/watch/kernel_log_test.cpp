#include "launcher/watch/kernel_log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <array>

#include "launcher/process/descriptor.h"

using namespace tradewind::launcher;

TEST_CASE("an Xid is found in a line of the kernel's log, whatever stands before it") {
  CHECK(xid_of("[1234.5] NVRM: Xid (PCI:0000:3b:00): 79, pid=1234, GPU has fallen off the bus.\n") ==
        "Xid (PCI:0000:3b:00): 79, pid=1234, GPU has fallen off the bus.");
  CHECK(xid_of("NVRM: Xid (PCI:0000:01:00): 31, pid='<unknown>', name=<unknown>, Ch 00000008") ==
        "Xid (PCI:0000:01:00): 31, pid='<unknown>', name=<unknown>, Ch 00000008");
  CHECK_FALSE(xid_of("NVRM: loading NVIDIA UNIX x86_64 Kernel Module").has_value());
  CHECK_FALSE(xid_of("NVRM: Xid (PCI:0000").has_value());
  CHECK_FALSE(xid_of("").has_value());
  CHECK(xid_of("NVRM: Xid (PCI:0): 1, " + std::string(5000, 'x'))->size() == 200);
}

TEST_CASE("a record of the kernel's log has a time and a text") {
  const auto record = kernel_record_of("4,1017,98765432,-;NVRM: Xid (a): 79\n SUBSYSTEM=pci\n");
  REQUIRE(record.has_value());
  CHECK(record->microseconds == 98765432);
  CHECK(record->text == "NVRM: Xid (a): 79");
  for (const char* broken : {"", ";", "4,1;text", "4,1,x,-;text", "no semicolon"})
    CHECK_FALSE(kernel_record_of(broken).has_value());
}

TEST_CASE("of a log the Xids since a moment are taken, and nothing is waited for") {
  std::array<int, 2> ends{};
  // As with /dev/kmsg, each read gives one record.
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends.data()) == 0);
  const Descriptor writer(ends[0]), log(ends[1]);
  for (const std::string record :
       {"4,1,1000,-;NVRM: Xid (PCI:0000:3b:00): 13, old\n", "garbage", "6,2,2500,-;usb 1-1: new device\n",
        "4,3,3000,-;NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.\n",
        "4,4,3001,-;NVRM: Xid (b): 48, x\n"})
    REQUIRE(::send(writer.get(), record.data(), record.size(), 0) == static_cast<ssize_t>(record.size()));
  CHECK(xids_of(log.get(), 2000) ==
        std::vector<std::string>{"Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.", "Xid (b): 48, x"});
}
