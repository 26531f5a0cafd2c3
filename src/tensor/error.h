// Errors that a user can meet, each with the exit code the program ends with (docs/command-line.md).
#pragma once

#include <cmath>
#include <stdexcept>
#include <string>

namespace rapt {

/// An error outside this library's own logic. `code()` is the exit code of the process.
class Error : public std::runtime_error {
 public:
  Error(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

/// One class per exit code, so that each throw site states the kind of error.
template <int kCode>
class CodedError : public Error {
 public:
  explicit CodedError(const std::string& message) : Error(kCode, message) {}
};

using UsageError = CodedError<64>;         ///< impossible flags or combinations of flags
using DataError = CodedError<65>;          ///< input with bad content: corrupt, malformed, inconsistent
using MissingInputError = CodedError<66>;  ///< an input that does not exist
using BugError = CodedError<70>;           ///< a bug in rapt itself
using MemoryError = CodedError<71>;        ///< not enough memory
using CannotCreateError = CodedError<73>;  ///< an output that cannot be created, or is locked by another run
using IoError = CodedError<74>;            ///< reading or writing failed, or the disk is full
using InterruptedError = CodedError<75>;   ///< stopped by a signal; can be resumed
using ConfigError = CodedError<78>;     ///< disagrees with the checkpoint being resumed, or with the configuration file
using NotFiniteError = CodedError<79>;  ///< a loss, a gradient or a result is not finite

/// "nan", "inf" or "-inf".
inline const char* name_of_not_finite(double value) { return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"; }

/// "<what> must be finite, got nan[ for <where>]".
inline NotFiniteError not_finite(const std::string& what, double value, const std::string& where = "") {
  return NotFiniteError(what + " must be finite, got " + name_of_not_finite(value) +
                        (where.empty() ? "" : " for " + where));
}

}  // namespace rapt
