// The key-value store through which the ranks of a run meet, kept by its launcher (proto/store.h): what c10d's groups
// put there goes over the worker's channel, and no port is open for it.
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <chrono>
#include <functional>
#include <optional>

#include "proto/store.h"

namespace c10d {
class Store;
}  // namespace c10d

namespace tradewind::dist {

// Asks the launcher; nothing when no answer comes in that time. Called from any thread.
using AskStore =
    std::function<std::optional<proto::StoreAnswer>(proto::StoreRequest request, std::chrono::milliseconds time)>;

// Thread-safe. Its calls throw c10::DistStoreError at a timeout or a refusal, and what `ask` throws.
c10::intrusive_ptr<c10d::Store> launcher_store(AskStore ask);

}  // namespace tradewind::dist
