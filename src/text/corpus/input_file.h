// A file as it was when it was read: its name, its size and the digest of its bytes.
#pragma once

#include <cstdint>
#include <string>

#include "io/json.h"
#include "text/corpus/input.h"

namespace rapt {

struct InputFile {
  std::string name;         ///< as it was given, escaped for terminals
  std::uint64_t bytes = 0;  ///< of a directory, of all its files
  std::string digest;       ///< text/corpus/digest.h
};

/// Reads the input once.
InputFile describe(const Input& input);

/// How token stores and checkpoints keep it: `{"name": "a.txt", "bytes": 1, "xxh3_128": "..."}`.
Json to_json(const InputFile& file);
/// \param where  what errors call the JSON
InputFile input_file_from(const Json& json, const std::string& where);

}  // namespace rapt
