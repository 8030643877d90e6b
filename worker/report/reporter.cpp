#include "worker/report/reporter.h"

namespace tradewind::report {

const char* name_of(Phase phase) {
  switch (phase) {
    case Phase::start:
      return "start";
    case Phase::load:
      return "load";
    case Phase::input:
      return "input";
    case Phase::first_step:
      return "first step";
    case Phase::step:
      return "step";
    case Phase::output:
      return "output";
    case Phase::close:
      return "close";
  }
  return "unknown";
}

}  // namespace tradewind::report
