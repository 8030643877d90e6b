// Sets of paths that a name may stand for, and whether two of them can meet. Pure, but for links that are resolved.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tradewind::launcher {

// One text with places where others may stand.
class NamePattern {
 public:
  static NamePattern literal(const std::string& text);
  // {key}: any text without `/`; of keys that hold numbers, and with a format for numbers, only those.
  static NamePattern with_keys(const std::string& text);
  static NamePattern glob(const std::string& text);  // * and ? and [..] stay within a name, ** does not
  // The same, anywhere below the folder, with that ending.
  static NamePattern below(const std::string& folder, const std::string& ending);

  bool can_equal(const NamePattern& other) const;

 private:
  enum class Kind { letter, any_letter, any_name, any_number, any_path };
  struct Token {
    Kind kind = Kind::letter;
    char letter = 0;
  };
  std::vector<Token> tokens_;
};

// Absolute, links followed as far as there is something, also one that points at nothing yet.
std::string resolved(const std::string& path);
// The same of what stands before the first of `magic`; the rest as it is.
std::string resolved_before(const std::string& path, const std::string& magic);

struct FileIdentity {
  std::uint64_t device = 0, inode = 0;
  auto operator<=>(const FileIdentity&) const = default;
};

}  // namespace tradewind::launcher
