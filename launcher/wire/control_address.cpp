#include "launcher/wire/control_address.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "common/files/whole_file.h"
#include "launcher/process/descriptor.h"

namespace tradewind::launcher {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::size_t longest_file = 65536;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string read_all(int file) {
  std::string text;
  std::array<char, 4096> buffer{};
  while (text.size() < longest_file) {
    const ssize_t count = ::read(file, buffer.data(), buffer.size());
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

// Network file systems keep the news that a file is not there for a while, but not past a look at its folder.
void look_at_folder_of(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(
      ::opendir(std::filesystem::path(path).parent_path().empty() ? "."
                                                                  : std::filesystem::path(path).parent_path().c_str()),
      ::closedir);
  if (folder) static_cast<void>(::readdir(folder.get()));
}

}  // namespace

std::optional<ControlAddress> control_of(const Environment& environment) {
  const auto text = environment.get("TRADEWIND_CONTROL");
  if (!text || text->empty() || *text == control_by_torchrun) return std::nullopt;
  const auto wrong = [&](const char* why) -> UserError {
    return UserError("`" + *text + "` " + why, "TRADEWIND_CONTROL",
                     "give address:port of rank 0's launcher, `torchrun` for the store of torchrun, or unset it");
  };
  ControlAddress control;
  for (const std::string& part : split(*text)) {
    const std::size_t colon = part.rfind(':');
    if (colon == std::string::npos) throw wrong("has no port");
    int port = 0;
    const auto [end, error] = std::from_chars(part.data() + colon + 1, part.data() + part.size(), port);
    if (error != std::errc{} || end != part.data() + part.size() || port < 1 || port > 65535)
      throw wrong("has no port between 1 and 65535");
    std::string host = part.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    if (host.empty() || (control.port != 0 && control.port != port)) throw wrong("names no host, or several ports");
    control.port = port;
    control.addresses.push_back(host);
  }
  control.token = environment.get_or("TRADEWIND_TOKEN", "");
  if (control.token.empty())
    throw UserError("there is no token for the controller at " + *text, "TRADEWIND_TOKEN",
                    "give all ranks the same secret text, or unset TRADEWIND_CONTROL");
  return control;
}

std::string control_text(const ControlAddress& address) {
  std::string text;
  for (const std::string& host : address.addresses) {
    const bool colons = host.find(':') != std::string::npos;
    text += (text.empty() ? "" : ",") + (colons ? "[" + host + "]" : host) + ":" + std::to_string(address.port);
  }
  return text;
}

std::string control_path(const std::string& folder, const std::string& key) {
  return (std::filesystem::path(folder) / ("control-" + (key.empty() ? "run" : key) + ".json")).string();
}

std::string control_json(const ControlAddress& address) {
  const Json json = {
      {"version", 1}, {"addresses", address.addresses}, {"port", address.port}, {"token", address.token}};
  return json.dump() + "\n";
}

std::optional<ControlAddress> control_from_json(const std::string& text) {
  try {
    const Json json = Json::parse(text);
    return ControlAddress{.addresses = json.at("addresses").get<std::vector<std::string>>(),
                          .port = json.at("port").get<int>(),
                          .token = json.at("token").get<std::string>()};
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

void write_control(const std::string& path, const ControlAddress& address) {
  write_whole(path, control_json(address),
              {.what = "the control file",
               .remedy = "give a run folder that can be written with --run-dir",
               .mode = S_IRUSR | S_IWUSR,
               .own_folder = true});
}

namespace {

// `lack` is set when it gives nothing.
std::optional<ControlAddress> look_for_control(const std::string& path, std::string& lack) {
  look_at_folder_of(path);
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (!file.valid()) {
    lack = errno == ENOENT ? "there is no " + path : path + " cannot be opened: " + std::strerror(errno);
  } else if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
    lack = path + " is no file";
  } else if (status.st_uid != ::geteuid()) {
    lack = path + " belongs to another user";
  } else if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    lack = path + " can be read by others, so that nobody may trust it";
  } else {
    auto control = control_from_json(read_all(file.get()));
    if (!control) lack = path + " holds something else";
    return control;
  }
  return std::nullopt;
}

}  // namespace

std::optional<ControlAddress> read_control(const std::string& path) {
  std::string lack;
  return look_for_control(path, lack);
}

std::string control_lack(const std::string& path) {
  std::string lack;
  look_for_control(path, lack);
  return lack;
}

void remove_control(const std::string& path, const ControlAddress& address) {
  if (read_control(path) == address) ::unlink(path.c_str());
}

std::vector<std::string> addresses_of_host(const std::string& interfaces) {
  const auto wanted = split(interfaces);
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {"127.0.0.1"};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> all(list, ::freeifaddrs);
  std::vector<std::string> outer, six, loopback;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), one->ifa_name) == wanted.end()) continue;
    const int family = one->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(one->ifa_addr)->sin6_addr))
      continue;
    std::array<char, NI_MAXHOST> text{};
    const socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    if (::getnameinfo(one->ifa_addr, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0) continue;
    ((one->ifa_flags & IFF_LOOPBACK) != 0 ? loopback : family == AF_INET ? outer : six).emplace_back(text.data());
  }
  outer.insert(outer.end(), six.begin(), six.end());
  outer.insert(outer.end(), loopback.begin(), loopback.end());
  return outer;
}

}  // namespace tradewind::launcher
