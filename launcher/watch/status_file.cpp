#include "launcher/watch/status_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "common/errors.h"
#include "common/printable.h"

namespace tradewind::launcher {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t most_bytes = std::size_t{16} << 20;  // those of 30000 ranks fit
constexpr std::size_t most_ranks = 100'000, longest_text = 400;
constexpr std::size_t most_told = 5;
constexpr std::size_t most_keys = 1000;  // of an object, which looks through them all for each that is added
constexpr int deepest = 8;

enum class Kind { text, whole, large, real, real_or_null };
struct Key {
  const char* name;
  Kind kind;
};
// As status_json() of status.h writes them.
constexpr std::array top_keys = {Key{"schema", Kind::whole}, Key{"time", Kind::text}, Key{"state", Kind::text}};
constexpr std::array launcher_keys = {Key{"host", Kind::text}, Key{"pid", Kind::whole}};
constexpr std::array rank_keys = {Key{"rank", Kind::whole},
                                  Key{"host", Kind::text},
                                  Key{"pid", Kind::whole},
                                  Key{"device", Kind::text},
                                  Key{"phase", Kind::text},
                                  Key{"step", Kind::whole},
                                  Key{"steps", Kind::whole},
                                  Key{"place", Kind::text},
                                  Key{"collective", Kind::large},
                                  Key{"seconds_in_place", Kind::real},
                                  Key{"wait_share", Kind::real_or_null},
                                  Key{"compute_share", Kind::real_or_null},
                                  Key{"resident_bytes", Kind::large}};

class Reader {
 public:
  explicit Reader(std::string where) : where_(std::move(where)) {}

  [[noreturn]] void refuse(const std::string& why) const {
    throw UserError("this is no status of a run: " + why, where_, "give the run folder of a run of Tradewind");
  }

  Json parse(std::string_view text) const {
    std::array<std::size_t, deepest + 2> keys{};  // so far, of the objects that are open
    const auto bounded = [&](int depth, Json::parse_event_t event, Json&) {
      if (depth > deepest) refuse("it is nested deeper than " + std::to_string(deepest) + " levels");
      std::size_t& count = keys.at(static_cast<std::size_t>(depth));
      if (event == Json::parse_event_t::key && ++count > most_keys)
        refuse("an object of it has more than " + std::to_string(most_keys) + " keys");
      if (event == Json::parse_event_t::object_end) keys.at(static_cast<std::size_t>(depth) + 1) = 0;
      return true;
    };
    try {
      Json json = Json::parse(text, bounded);
      if (!json.is_object()) refuse("it is " + kind_of(json) + ", not an object");
      return json;
    } catch (const Json::exception& error) {
      refuse(printable_line(error.what()));
    }
  }

  template <typename Keys>
  Json known(const Json& object, const Keys& keys, const std::string& within) {
    Json kept = Json::object();
    for (const Key& key : keys) {
      const auto found = object.find(key.name);
      if (found == object.end()) continue;
      std::string trouble;
      Json value = value_of(*found, key.kind, trouble);
      if (trouble.empty())
        kept[key.name] = std::move(value);
      else if (odd_.size() < most_told)
        odd_.push_back("`" + within + key.name + "` " + trouble);
    }
    return kept;
  }

  std::vector<std::string> odd() const { return odd_; }

  void require_object(const Json& json, const std::string& name) const {
    if (!json.is_object()) refuse("`" + name + "` is " + kind_of(json) + ", not an object");
  }

  static std::string kind_of(const Json& json) {
    if (json.is_number()) return "a number";
    if (json.is_string()) return "a text";
    if (json.is_array()) return "a list";
    if (json.is_object()) return "an object";
    return json.is_null() ? "null" : "a truth value";
  }

 private:
  // Why not, when `trouble` is filled.
  static Json value_of(const Json& json, Kind kind, std::string& trouble) {
    const auto other = [&](const char* wanted) {
      trouble = "is " + kind_of(json) + ", not " + wanted;
      return Json();
    };
    if (kind == Kind::text) {
      if (!json.is_string()) return other("a text");
      return printable_line(std::string_view(json.get_ref<const std::string&>()).substr(0, longest_text));
    }
    if (json.is_null() && kind == Kind::real_or_null) return json;
    if (!json.is_number()) return other("a number");
    if (kind != Kind::real && kind != Kind::real_or_null && !json.is_number_integer()) return other("a whole number");
    // Bytes and counts of calls have 64 bits, the rest is far smaller.
    const auto number = json.get<double>();
    const double most = kind == Kind::whole ? INT32_MAX : kind == Kind::large ? 0x1p62 : 1e12;
    if (!(std::abs(number) <= most)) trouble = "is out of all bounds";
    return json;
  }

  std::string where_;
  std::vector<std::string> odd_;
};

[[noreturn]] void cannot(const std::filesystem::path& file, int error) {
  throw EnvironmentFault(std::string("the status cannot be read: ") + std::strerror(error), file.string(),
                         error == ELOOP ? "it is a link, which could lead anywhere: give the run folder itself" : "");
}

std::string bounded_text(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
  if (descriptor < 0) cannot(file, errno);
  const struct Closer {
    int descriptor;
    ~Closer() { ::close(descriptor); }
  } closer{descriptor};
  struct stat facts {};
  if (::fstat(descriptor, &facts) != 0) cannot(file, errno);
  if (!S_ISREG(facts.st_mode)) throw UserError("the status is not a regular file", file.string(), "remove it");
  std::string text;
  std::array<char, std::size_t{64} << 10> piece{};
  while (text.size() <= most_bytes) {
    const ssize_t count = ::read(descriptor, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) cannot(file, errno);
    if (count == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  throw UserError("the status is larger than " + std::to_string(most_bytes >> 20U) + " MiB", file.string(),
                  "give the run folder of a run of Tradewind");
}

}  // namespace

StatusFile parse_status(std::string_view text, const std::string& where) {
  Reader reader(where);
  const Json json = reader.parse(text);
  Json status = reader.known(json, top_keys, "");
  if (const auto launcher = json.find("launcher"); launcher != json.end()) {
    reader.require_object(*launcher, "launcher");
    status["launcher"] = reader.known(*launcher, launcher_keys, "launcher.");
  }
  const auto ranks = json.find("ranks");
  if (ranks == json.end()) return {status, reader.odd()};
  if (!ranks->is_array()) reader.refuse("`ranks` is " + Reader::kind_of(*ranks) + ", not a list");
  if (ranks->size() > most_ranks) reader.refuse("it tells of more than " + std::to_string(most_ranks) + " ranks");
  Json kept = Json::array();
  for (std::size_t i = 0; i < ranks->size(); ++i) {
    const std::string name = "ranks[" + std::to_string(i) + "]";
    reader.require_object((*ranks)[i], name);
    kept.push_back(reader.known((*ranks)[i], rank_keys, name + "."));
  }
  status["ranks"] = std::move(kept);
  return {status, reader.odd()};
}

StatusFile read_status(const std::filesystem::path& file) { return parse_status(bounded_text(file), file.string()); }

}  // namespace tradewind::launcher
