#include "worker/grib/tables/short_names.h"

#include <eccodes.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>

#include "worker/grib/tables/definitions.h"

// Of ecCodes, beside its documented functions; its definitions may be in its library instead of in files.
extern "C" {
[[gnu::weak]] std::FILE* codes_fopen(const char* name, const char* mode);
// NOLINTNEXTLINE(readability-redundant-declaration): its header does not call it weak
[[gnu::weak]] char* grib_context_full_defs_path(grib_context* context, const char* name);
}

namespace tradewind::grib {
namespace {

using Text = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
using Known = std::shared_ptr<const Definitions>;

bool known_release() {
  static const bool known =
      codes_get_api_version() / 100 == 250 && codes_fopen != nullptr && grib_context_full_defs_path != nullptr;
  return known;
}

// Empty when there is no such file, as with ecCodes; nullptr when it cannot be used.
Known read(const std::string& name) {
  const char* path = grib_context_full_defs_path(codes_context_get_default(), name.c_str());
  if (path == nullptr) return std::make_shared<Definitions>();
  const Text file(codes_fopen(path, "r"), &std::fclose);
  if (!file) return nullptr;
  std::string text;
  std::array<char, 16 << 10> part;
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), file.get())) text.append(part.data(), got);
  auto definitions = Definitions::parse(text);
  return definitions ? std::make_shared<Definitions>(std::move(*definitions)) : nullptr;
}

// Read once in the life of the process, as ecCodes' own tables are.
Known definitions(const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, Known> all;
  const std::lock_guard lock(mutex);
  const auto [known, fresh] = all.try_emplace(name);
  if (fresh) known->second = read(name);
  return known->second;
}

std::optional<std::string> text(const grib_handle* message, const std::string& key) {
  std::array<char, 1024> value{};
  std::size_t length = value.size();
  if (codes_get_string(message, key.c_str(), value.data(), &length) != CODES_SUCCESS || value[0] == '\0')
    return std::nullopt;
  return value.data();
}

// A folder of definitions, with the values of the keys that it names: grib2/localConcepts/[centre:s].
std::optional<std::string> folder(const grib_handle* message, const char* key) {
  std::optional<std::string> path = text(message, key);
  while (path) {
    const std::size_t open = path->find('['), close = path->find(":s]", open);
    if (open == std::string::npos) return path;
    if (close == std::string::npos) return std::nullopt;
    const auto value = text(message, path->substr(open + 1, close - open - 1));
    if (!value || value->find('[') != std::string::npos) return std::nullopt;
    path->replace(open, close + 3 - open, *value);
  }
  return path;
}

// Where names are looked up: in the files of two folders, as one.
struct NameFiles {
  const char *first, *second;  // keys that tell the folders, in the order in which ecCodes reads them
  const char* file;            // key that tells the file's name, or that name
};
// A message has the name that it has in the first of these where it has one; names to be set are in the first.
constexpr std::array<NameFiles, 3> name_files = {
    NameFiles{"conceptsDir1", "conceptsDir2", "shortNameFilename"},
    NameFiles{"conceptsLocalDirECMF", "conceptsMasterDir", "shortNameFilename"},
    NameFiles{"conceptsLocalDirECMF", "conceptsMasterDir", "shortName.legacy.def"}};

// Empty: ecCodes is to be asked.
std::vector<Known> files_of(const grib_handle* message, const NameFiles& where) {
  long edition = 0;
  if (!known_release() || codes_get_long(message, "edition", &edition) != CODES_SUCCESS || edition != 2) return {};
  const auto first = folder(message, where.first), second = folder(message, where.second);
  const bool named = std::string_view(where.file).ends_with(".def");
  const std::optional<std::string> name = named ? where.file : text(message, where.file);
  if (!first || !second || !name) return {};
  std::vector<Known> files = {definitions(*first + "/" + *name), definitions(*second + "/" + *name)};
  if (std::find(files.begin(), files.end(), nullptr) != files.end()) return {};
  return files;
}

// Names are the same when they differ only in the case of letters, or where neither has a letter, a digit, _ or #.
bool same_name(std::string_view a, std::string_view b) {
  const auto folded = [](char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '#' ? c : ' ';
  };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char one, char other) { return folded(one) == folded(other); });
}

// The whole numbers of a message's keys, each looked up once.
class Numbers {
 public:
  Numbers(const grib_handle* message, const std::vector<std::string>& keys)
      : message_(message), keys_(keys), found_(keys.size()) {}
  bool is(std::size_t key, long value) {
    Found& found = found_[key];
    if (!found.asked) {
      found.asked = true;
      found.there = codes_get_long(message_, keys_[key].c_str(), &found.value) == CODES_SUCCESS;
    }
    return found.there && found.value == value;
  }

 private:
  struct Found {
    bool asked = false, there = false;
    long value = 0;
  };
  const grib_handle* message_;
  const std::vector<std::string>& keys_;
  std::vector<Found> found_;
};

// The name of a message in these files; empty when it has none, nullopt when that is not known.
std::optional<std::string_view> name_in(const std::vector<Known>& files, const grib_handle* message) {
  std::string_view best;
  std::size_t most = 0;
  for (const Known& file : files) {
    Numbers numbers(message, file->keys());
    for (std::size_t entry = 0; entry < file->size(); ++entry) {
      const auto begin = file->conditions().begin() + static_cast<std::ptrdiff_t>(file->begin(entry)),
                 end = file->conditions().begin() + static_cast<std::ptrdiff_t>(file->begin(entry + 1));
      bool unknown = false;
      const bool holds = std::all_of(begin, end, [&](const Condition& condition) {
        if ((condition.key & Definitions::unknown_value) == 0) return numbers.is(condition.key, condition.value);
        unknown = true;
        std::size_t size = 0;
        const std::string& key = file->keys()[condition.key & ~Definitions::unknown_value];
        return codes_get_size(message, key.c_str(), &size) == CODES_SUCCESS;
      });
      if (!holds) continue;
      if (unknown) return std::nullopt;
      const auto count = static_cast<std::size_t>(end - begin);
      if (count < most) continue;  // of several that hold, the last with the most conditions
      most = count;
      best = file->name(entry);
    }
  }
  return best;
}

}  // namespace

std::optional<std::string> known_short_name(const grib_handle* message) {
  for (const NameFiles& where : name_files) {
    const std::vector<Known> files = files_of(message, where);
    if (files.empty()) return std::nullopt;
    const auto name = name_in(files, message);
    if (!name) return std::nullopt;
    if (!name->empty()) return std::string(*name);
  }
  return std::nullopt;
}

std::optional<std::vector<NumberedKey>> keys_of_short_name(const grib_handle* message, const std::string& name) {
  for (const Known& file : files_of(message, name_files.front())) {
    for (std::size_t entry = 0; entry < file->size(); ++entry) {
      if (!same_name(file->name(entry), name)) continue;  // the first of this name
      std::vector<NumberedKey> keys;
      for (std::size_t i = file->begin(entry); i < file->begin(entry + 1); ++i) {
        const Condition& condition = file->conditions()[i];
        if ((condition.key & Definitions::unknown_value) != 0) return std::nullopt;
        keys.push_back({file->keys()[condition.key].c_str(), condition.value});
      }
      return keys;
    }
  }
  return std::nullopt;
}

}  // namespace tradewind::grib
