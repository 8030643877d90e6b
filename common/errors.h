// Errors that say what, where and the way out. One type per kind of cause, since each leaves with its own exit code.
// Thrown across every layer; caught once, in each executable's main. Value types, safe to copy between threads.
#pragma once

#include <stdexcept>
#include <string>

#include "common/exit_codes.h"

namespace tradewind {

class Error : public std::runtime_error {
 public:
  // what: what is wrong, with the offending value; where: file:line:column, path in a tree, or key (may be empty);
  // remedy: what the user can do (may be empty).
  Error(std::string what, std::string where, std::string remedy);
  const std::string& message() const { return message_; }
  const std::string& where() const { return where_; }
  const std::string& remedy() const { return remedy_; }
  virtual ExitCode exit_code() const { return ExitCode::failure; }

 private:
  std::string message_, where_, remedy_;
};

// The user's command line, configuration, checkpoint or input data is wrong or unsupported.
class UserError : public Error {
 public:
  explicit UserError(std::string what, std::string where = {}, std::string remedy = {})
      : Error(std::move(what), std::move(where), std::move(remedy)) {}
  ExitCode exit_code() const override { return ExitCode::bad_input; }
};

// The surroundings failed: file system, network, memory, scheduler.
class EnvironmentFault : public Error {
 public:
  explicit EnvironmentFault(std::string what, std::string where = {}, std::string remedy = {})
      : Error(std::move(what), std::move(where), std::move(remedy)) {}
};

// A bug of ours: a promise between two parts of the program was broken.
class InternalFault : public Error {
 public:
  explicit InternalFault(std::string what, std::string where = {})
      : Error(std::move(what), std::move(where), "please report this with the command line and the checkpoint's name") {
  }
};

}  // namespace tradewind
