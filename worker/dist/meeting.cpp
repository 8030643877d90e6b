#include "worker/dist/meeting.h"

#include <arpa/inet.h>
#include <c10/util/Logging.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "worker/dist/communicator.h"
#include "worker/dist/fault_text.h"

namespace tradewind::dist {
namespace {

constexpr const char* kLoopback = "127.0.0.1";

// c10d logs every retry with a backtrace; what matters of it is in our errors. A user who asked for its log keeps it.
class QuietLog {
 public:
  QuietLog() : level_(FLAGS_caffe2_log_level) {
    if (level_ == c10::GLOG_WARNING) FLAGS_caffe2_log_level = c10::GLOG_FATAL;
  }
  ~QuietLog() { FLAGS_caffe2_log_level = level_; }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;

 private:
  const int level_;
};

std::string key(const char* name, int rank) { return std::string("tradewind/") + name + "/" + std::to_string(rank); }

bool is_loopback(const std::string& address) { return address.starts_with("127.") || address == "::1"; }

std::string numeric(const sockaddr_storage& address, socklen_t length) {
  std::array<char, NI_MAXHOST> host{};
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), length, host.data(), host.size(), nullptr, 0,
                  NI_NUMERICHOST) != 0) {
    return kLoopback;
  }
  return host.data();
}

// The address of this host's interface which leads to `host`. Asks the routing table only: nothing is sent.
std::string local_address_towards(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), "9", &hints, &found) != 0) return kLoopback;
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> all(found, &freeaddrinfo);
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    const int probe = socket(one->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe < 0) continue;
    sockaddr_storage local{};
    socklen_t length = sizeof(local);
    const bool routed = connect(probe, one->ai_addr, one->ai_addrlen) == 0 &&
                        getsockname(probe, reinterpret_cast<sockaddr*>(&local), &length) == 0;
    close(probe);
    if (!routed) continue;
    std::string address = numeric(local, length);
    // The whole 127/8 leads here, but only this one is an interface's own.
    return is_loopback(address) && one->ai_family == AF_INET ? kLoopback : address;
  }
  return kLoopback;
}

// What the end of rank 0 looks like to a rank that waits for the others.
ConnectionFault lost(const Rendezvous& rendezvous, const std::exception& error) {
  return ConnectionFault(
      "rank " + std::to_string(rendezvous.rank) + " lost the rendezvous while ranks gathered: " + short_text(error),
      master_of(rendezvous), "see what ended rank 0");
}

c10::intrusive_ptr<c10d::Store> open_store(const Rendezvous& rendezvous) {
  c10d::TCPStoreOptions options;
  options.port = rendezvous.master_port;
  options.isServer = rendezvous.rank == 0 && !rendezvous.store_served;
  options.numWorkers = static_cast<std::size_t>(rendezvous.world_size);
  options.waitWorkers = false;  // meet() waits, and can say who is missing
  options.timeout = rendezvous.join_timeout;
  if (options.isServer) options.masterListenFd = rendezvous.listening_descriptor;
  try {
    auto store = c10::make_intrusive<c10d::TCPStore>(rendezvous.master_address, options);
    if (!rendezvous.store_served) return store;
    return c10::make_intrusive<c10d::PrefixStore>("tradewind/attempt " + rendezvous.attempt, std::move(store));
  } catch (const std::exception& error) {
    const std::string detail = short_text(error);
    if (options.isServer) {
      throw EnvironmentFault("rank 0 cannot serve the rendezvous: " + detail, master_of(rendezvous),
                             "choose a free MASTER_PORT, and a MASTER_ADDR that is this host");
    }
    throw ConnectionFault("rank " + std::to_string(rendezvous.rank) + " cannot reach rank 0 within " +
                              seconds_text(rendezvous.join_timeout) + ": " + detail,
                          master_of(rendezvous),
                          "check that rank 0 started, and that MASTER_ADDR and MASTER_PORT are reachable from here");
  }
}

void wait_for_all(c10d::Store& store, const Rendezvous& rendezvous, const std::vector<std::string>& keys) {
  try {
    store.wait(keys, rendezvous.join_timeout);
  } catch (const std::exception& error) {
    std::string missing;
    try {
      for (int rank = 0; rank < rendezvous.world_size; ++rank) {
        if (store.check({keys[static_cast<std::size_t>(rank)]})) continue;
        missing += (missing.empty() ? "" : ", ") + std::to_string(rank);
      }
    } catch (const std::exception&) {
      missing.clear();  // rank 0 left
    }
    if (missing.empty()) throw lost(rendezvous, error);
    throw RanksMissing("of " + std::to_string(rendezvous.world_size) + " ranks these did not come within " +
                           seconds_text(rendezvous.join_timeout) + ": " + missing,
                       master_of(rendezvous), "see the logs of those ranks; start as many ranks as the world size");
  }
}

}  // namespace

std::string master_of(const Rendezvous& rendezvous) {
  return "master " + rendezvous.master_address + ":" + std::to_string(rendezvous.master_port);
}

Meeting meet(const Rendezvous& rendezvous) {
  if (rendezvous.rank < 0 || rendezvous.rank >= rendezvous.world_size) {
    throw InternalFault("rank " + std::to_string(rendezvous.rank) + " of " + std::to_string(rendezvous.world_size));
  }
  const QuietLog quiet;
  Meeting meeting{open_store(rendezvous), local_address_towards(rendezvous.master_address)};
  c10d::Store& store = *meeting.store;
  std::vector<std::string> keys;
  keys.reserve(static_cast<std::size_t>(rendezvous.world_size));
  for (int rank = 0; rank < rendezvous.world_size; ++rank) keys.push_back(key("address", rank));
  try {
    if (store.add(key("arrivals", rendezvous.rank), 1) > 1) {
      throw EnvironmentFault("rank " + std::to_string(rendezvous.rank) + " came twice: two runs meet at one port",
                             master_of(rendezvous), "give each run a MASTER_PORT of its own");
    }
    store.set(keys[static_cast<std::size_t>(rendezvous.rank)],
              std::vector<std::uint8_t>(meeting.address.begin(), meeting.address.end()));
    wait_for_all(store, rendezvous, keys);
    // A host that knows itself as 127.0.1.1 (Debian's /etc/hosts) must still show its peers a real address.
    for (const auto& bytes : store.multiGet(keys)) {
      const std::string other(bytes.begin(), bytes.end());
      if (is_loopback(meeting.address) && !is_loopback(other)) meeting.address = local_address_towards(other);
    }
  } catch (const c10::Error& error) {
    throw lost(rendezvous, error);
  }
  return meeting;
}

}  // namespace tradewind::dist
