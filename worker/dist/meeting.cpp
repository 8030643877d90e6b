#include "worker/dist/meeting.h"

#include <arpa/inet.h>
#include <c10/util/Exception.h>
#include <netdb.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "common/sha256.h"
#include "worker/dist/communicator.h"
#include "worker/dist/fault_text.h"

namespace tradewind::dist {
namespace {

constexpr const char* kLoopback = "127.0.0.1";
constexpr std::size_t secret_bytes = 32;  // of a rank; each reads those of all, so no more than need be

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

// What the end of the store's keeper looks like to a rank that waits for the others.
ConnectionFault lost(const Rendezvous& rendezvous, const std::exception& error) {
  return ConnectionFault(
      "rank " + std::to_string(rendezvous.rank) + " lost the rendezvous while ranks gathered: " + short_text(error),
      master_of(rendezvous), "see what ended the launcher");
}

std::string random_bytes(std::size_t count) {
  std::string bytes(count, '\0');
  for (std::size_t done = 0; done < count;) {
    const ssize_t got = ::getrandom(bytes.data() + done, std::min<std::size_t>(count - done, 256), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) throw EnvironmentFault("the system gives no random numbers", "getrandom");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

// What only who knows `secret` can show to that rank, and nobody can use with another.
std::string proof(const std::string& secret, std::size_t rank) {
  const Digest code = hmac_sha256(secret, "to rank " + std::to_string(rank));
  return {reinterpret_cast<const char*>(code.data()), proof_bytes};
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
      missing.clear();  // the store is gone
    }
    if (missing.empty()) throw lost(rendezvous, error);
    throw RanksMissing("of " + std::to_string(rendezvous.world_size) + " ranks these did not come within " +
                           seconds_text(rendezvous.join_timeout) + ": " + missing,
                       master_of(rendezvous), "see the logs of those ranks; start as many ranks as the world size");
  }
}

}  // namespace

std::string master_of(const Rendezvous& rendezvous) { return "master " + rendezvous.master_address; }

Meeting meet(const Rendezvous& rendezvous, c10d::Store& store) {
  if (rendezvous.rank < 0 || rendezvous.rank >= rendezvous.world_size) {
    throw InternalFault("rank " + std::to_string(rendezvous.rank) + " of " + std::to_string(rendezvous.world_size));
  }
  const auto size = static_cast<std::size_t>(rendezvous.world_size);
  Meeting meeting{.address = local_address_towards(rendezvous.master_address), .shown = {}, .expected = {}};
  std::vector<std::string> keys;
  keys.reserve(size);
  for (int rank = 0; rank < rendezvous.world_size; ++rank) keys.push_back(key("address", rank));
  const std::string own = random_bytes(secret_bytes);
  for (std::size_t rank = 0; rank < size; ++rank) meeting.shown.push_back(proof(own, rank));
  try {
    if (store.add(key("arrivals", rendezvous.rank), 1) > 1) {
      throw EnvironmentFault("rank " + std::to_string(rendezvous.rank) + " came twice: two runs meet",
                             master_of(rendezvous), "start all ranks with one command");
    }
    store.set(keys[static_cast<std::size_t>(rendezvous.rank)], own + meeting.address);
    wait_for_all(store, rendezvous, keys);
    // A host that knows itself as 127.0.1.1 (Debian's /etc/hosts) must still show its peers a real address.
    for (const auto& bytes : store.multiGet(keys)) {
      if (bytes.size() < secret_bytes) throw InternalFault("a rank's address of another shape", master_of(rendezvous));
      const auto address = bytes.begin() + static_cast<std::ptrdiff_t>(secret_bytes);
      meeting.expected.push_back(proof(std::string(bytes.begin(), address), static_cast<std::size_t>(rendezvous.rank)));
      const std::string other(address, bytes.end());
      if (is_loopback(meeting.address) && !is_loopback(other)) meeting.address = local_address_towards(other);
    }
  } catch (const c10::Error& error) {
    throw lost(rendezvous, error);
  }
  return meeting;
}

}  // namespace tradewind::dist
