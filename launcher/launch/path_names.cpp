#include "launcher/launch/path_names.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "common/files/folder.h"

namespace tradewind::launcher {
namespace {

namespace fs = std::filesystem;

bool in_number(char letter) { return std::string_view("0123456789+-. ").find(letter) != std::string_view::npos; }

// `inside`: what stands between the braces.
bool holds_number(const std::string& inside) {
  static const std::set<std::string> keys = {"dataDate",     "dataTime",
                                             "date",         "time",
                                             "step",         "stepRange",
                                             "startStep",    "endStep",
                                             "forecastTime", "level",
                                             "levelist",     "number",
                                             "hour",         "day",
                                             "month",        "year",
                                             "param",        "paramId",
                                             "hdate",        "validDate",
                                             "edition",      "centuryOfReferenceTimeOfData",
                                             "validityDate", "validityTime"};
  const std::size_t colon = inside.find(':');
  if (colon == std::string::npos) return keys.contains(inside);
  const char type = inside.back();  // a format for numbers fits nothing else
  return type == 'd' || (keys.contains(inside.substr(0, colon)) && type >= '0' && type <= '9');
}

}  // namespace

NamePattern NamePattern::literal(const std::string& text) {
  NamePattern pattern;
  for (const char letter : text) pattern.tokens_.push_back({Kind::letter, letter});
  return pattern;
}

NamePattern NamePattern::with_keys(const std::string& text) {
  NamePattern pattern;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::size_t end = text[at] == '{' ? text.find('}', at) : std::string::npos;
    if (end == std::string::npos) {
      pattern.tokens_.push_back({Kind::letter, text[at]});
    } else {
      const bool number = holds_number(text.substr(at + 1, end - at - 1));
      pattern.tokens_.push_back({number ? Kind::any_number : Kind::any_name, 0});
      at = end;
    }
  }
  return pattern;
}

NamePattern NamePattern::glob(const std::string& text) {
  NamePattern pattern;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char letter = text[at];
    const std::size_t end = letter == '[' ? text.find(']', at + 2) : std::string::npos;
    if (letter == '*' && at + 1 < text.size() && text[at + 1] == '*') {
      pattern.tokens_.push_back({Kind::any_path, 0});
      at += at + 2 < text.size() && text[at + 2] == '/' ? 2 : 1;  // `**/` may stand for nothing
    } else if (letter == '*') {
      pattern.tokens_.push_back({Kind::any_name, 0});
    } else if (letter == '?' || end != std::string::npos) {
      pattern.tokens_.push_back({Kind::any_letter, 0});
      if (end != std::string::npos) at = end;
    } else {
      pattern.tokens_.push_back({Kind::letter, letter});
    }
  }
  return pattern;
}

NamePattern NamePattern::below(const std::string& folder, const std::string& ending) {
  NamePattern pattern = literal(folder == "/" ? folder : folder + "/");
  pattern.tokens_.push_back({Kind::any_path, 0});
  for (const char letter : ending) pattern.tokens_.push_back({Kind::letter, letter});
  return pattern;
}

// meet[j]: what is left of this one from i on, and of the other from j on, can be the same text.
bool NamePattern::can_equal(const NamePattern& other) const {
  const auto& a = tokens_;
  const auto& b = other.tokens_;
  const auto run = [](const Token& token) { return token.kind != Kind::letter && token.kind != Kind::any_letter; };
  // Whether one letter of the second can be one of the first.
  const auto fits = [&](const Token& first, const Token& second) {
    if (first.kind == Kind::letter && second.kind == Kind::letter) return first.letter == second.letter;
    const auto takes = [](const Token& token, const Token& given) {
      if (given.kind != Kind::letter || token.kind == Kind::letter || token.kind == Kind::any_path) return true;
      return token.kind == Kind::any_number ? in_number(given.letter) : given.letter != '/';
    };
    return takes(first, second) && takes(second, first);
  };
  std::vector<char> meet(b.size() + 1, 0), next(b.size() + 1, 0);
  for (std::size_t i = a.size() + 1; i-- > 0;) {
    std::swap(meet, next);  // next: of i + 1
    for (std::size_t j = b.size() + 1; j-- > 0;) {
      const bool first = i < a.size(), second = j < b.size();
      bool can = !first && !second;
      if (first && run(a[i])) can = can || next[j] != 0 || (second && fits(a[i], b[j]) && meet[j + 1] != 0);
      if (second && run(b[j])) can = can || meet[j + 1] != 0 || (first && fits(a[i], b[j]) && next[j] != 0);
      if (first && second && !run(a[i]) && !run(b[j])) can = can || (fits(a[i], b[j]) && next[j + 1] != 0);
      meet[j] = can ? 1 : 0;
    }
  }
  return meet[0] != 0;
}

std::string resolved(const std::string& path) {
  std::error_code error;
  const fs::path target = target_of_links(fs::absolute(path, error).string());
  fs::path whole = fs::weakly_canonical(target, error);
  if (error) whole = target.lexically_normal();
  std::string text = whole.string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

std::string resolved_before(const std::string& path, const std::string& magic) {
  const std::size_t first = path.find_first_of(magic);
  if (first == std::string::npos) return resolved(path);
  const std::size_t slash = path.rfind('/', first);
  if (slash == std::string::npos) return resolved(".") + "/" + path;
  const std::string folder = resolved(path.substr(0, slash + 1));
  return (folder == "/" ? std::string() : folder) + path.substr(slash);
}

}  // namespace tradewind::launcher
