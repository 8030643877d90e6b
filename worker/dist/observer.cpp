#include "worker/dist/observer.h"

namespace tradewind::dist {

Observer& nobody() {
  static Observer observer;  // has no state
  return observer;
}

}  // namespace tradewind::dist
