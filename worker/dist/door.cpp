#include "worker/dist/door.h"

#include <dirent.h>
#include <linux/filter.h>
#include <sys/socket.h>

#include <cstdlib>
#include <memory>

namespace tradewind::dist {

std::set<int> listening_sockets() {
  std::set<int> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc/self/fd"), ::closedir);
  if (!folder) return found;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] < '0' || entry->d_name[0] > '9') continue;
    const int descriptor = std::atoi(entry->d_name);
    int domain = 0, listens = 0;
    socklen_t size = sizeof domain;
    if (::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0) continue;
    size = sizeof listens;
    const bool internet = domain == AF_INET || domain == AF_INET6;
    if (internet && ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0)
      found.insert(descriptor);
  }
  return found;
}

// A socket that is closed or shut down would wake the thread that polls it without end: a filter that takes no packet
// leaves it asleep.
bool shut_doors(const std::set<int>& listeners) {
  sock_filter nothing{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  const sock_fprog program{.len = 1, .filter = &nothing};
  bool shut = true;
  for (const int descriptor : listeners)
    shut = ::setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 && shut;
  return shut;
}

}  // namespace tradewind::dist
