#include "worker/telemetry/fatal_signals.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <boost/stacktrace/stacktrace.hpp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "common/archive/mapped_files.h"
#include "proto/launcher_signals.h"

namespace tradewind::telemetry {
namespace {

constexpr std::array<int, 5> fatal = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
std::array<char, std::size_t{64} << 10> own_stack;  // a stack that has overflowed is of no use

void say(std::string_view text) { static_cast<void>(!::write(STDERR_FILENO, text.data(), text.size())); }

// A file that is mapped and cut off has no page there any more.
void tell_lost_page(const void* address) {
  const char* path = archive::mapped_file_at(address);
  if (path == nullptr) return;
  say(path);
  say(": the file was cut off or replaced in place while it was read; run the forecast anew\n");
}

// Naming the frames allocates, which may deadlock in a broken heap: the bare fact goes first, and the alarm ends it.
void last_word(int number, siginfo_t* info, void*) {
  ::signal(SIGALRM, SIG_DFL);
  ::alarm(2);
  say("fatal signal: ");
  say(::strsignal(number));
  say("\n");
  if (number == SIGBUS) tell_lost_page(info->si_addr);
  constexpr std::size_t skipped = 2, most = 24;
  const boost::stacktrace::stacktrace stack(skipped, most);
  const std::string text = boost::stacktrace::to_string(stack);
  say(text);
  ::signal(number, SIG_DFL);
  ::raise(number);
}

}  // namespace

void speak_at_fatal_signals() {
  // Loads what unwinding needs while memory is whole.
  static_cast<void>(boost::stacktrace::stacktrace(0, 1));
  stack_t stack{};
  stack.ss_sp = own_stack.data();
  stack.ss_size = own_stack.size();
  ::sigaltstack(&stack, nullptr);
  for (const int number : fatal) {
    struct sigaction action {};
    action.sa_sigaction = last_word;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | static_cast<int>(SA_RESETHAND);
    ::sigemptyset(&action.sa_mask);
    ::sigaction(number, &action, nullptr);
  }
}

void ignore_signals_to_launcher() {
  for (const int number : proto::signals_to_launcher) ::signal(number, SIG_IGN);
}

void let_parent_trace() { ::prctl(PR_SET_PTRACER, static_cast<unsigned long>(::getppid()), 0, 0, 0); }

}  // namespace tradewind::telemetry
