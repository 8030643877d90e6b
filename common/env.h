// The environment a program was started with, as a value: read once in main and passed on, so that tests give their own
// and nothing below main calls getenv. Not synchronised; const use is thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace tradewind {

class Environment {
 public:
  Environment() = default;
  explicit Environment(std::map<std::string, std::string> variables) : variables_(std::move(variables)) {}
  // From main's third argument or `environ`: a null-terminated list of NAME=value. For main only.
  static Environment from_process(char** environ_list);

  std::optional<std::string> get(const std::string& name) const;
  // The value; `fallback` when the variable is not there or empty.
  std::string get_or(const std::string& name, const std::string& fallback) const;
  bool has(const std::string& name) const { return variables_.contains(name); }
  void set(const std::string& name, const std::string& value) { variables_[name] = value; }
  void unset(const std::string& name) { variables_.erase(name); }
  const std::map<std::string, std::string>& variables() const { return variables_; }

 private:
  std::map<std::string, std::string> variables_;
};

}  // namespace tradewind
