// Where a rank of a program is, seen from outside: by the stack of its main thread, its Python frames, what its flight
// recorder notes and the file that the kernel holds it up in. Pure.
#pragma once

#include <string>
#include <vector>

#include "launcher/watch/run_watch.h"

namespace tradewind::launcher {

struct ProgramPlace {
  enum class Kind {
    unknown,
    collective,  // waits for other ranks: in a collective of c10d, Gloo, NCCL or MPI, or until they have come
    device,      // waits for its GPU, which may wait for others
    file,        // in a call about a file, pipe or terminal
    sleep,       // sleeps by its own will
    leaving,     // its main function is over
    own          // in its own code
  } kind = Kind::unknown;
  std::string what;  // all_reduce, MPI_Barrier, nanosleep, the path of a file
  std::string at;    // `lost at train.py:12`, where frames tell
  bool operator==(const ProgramPlace&) const = default;
};

ProgramPlace place_of(const Testimony& testimony);
// `waits in all_reduce (step at train.py:45)`
std::string text_of(const ProgramPlace& place);

// The names of the frames of the thread `id` in what eu-stack or gdb wrote, innermost first; empty without it.
std::vector<std::string> function_names(const std::string& stack, int id);

}  // namespace tradewind::launcher
