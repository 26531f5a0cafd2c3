// Token files of other trainers: llm.c's .bin (a header of 256 words, then u16 or u32) and nanoGPT's (u16 without a
// header).
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "io/durable_file.h"
#include "tensor/types.h"
#include "text/corpus/input_file.h"

namespace rapt {

enum class TokenFileFormat {
  kLlmc16,   ///< magic 20240520, version 1, u16: GPT-2's vocabulary
  kLlmc32,   ///< magic 20240801, version 7, u32: Llama 3's
  kNanoGpt,  ///< no header, u16
};

/// Whether it starts like one of llm.c's data files.
bool is_llmc_tokens(const Input& input);

/// A file of token ids, read in pieces from its beginning to its end.
class TokenFile final {
 public:
  /// \throws DataError  for another kind of llm.c file (a model, an evaluation set), another version, a length that
  ///                    disagrees with the header, or half a token at the end
  explicit TokenFile(Input input);

  TokenFileFormat format() const { return format_; }
  Dim size() const { return size_; }
  /// The next to.size() ids. \throws DataError  for an id that is not below `vocabulary_size`
  void read(std::span<std::int32_t> to, std::int32_t vocabulary_size);
  /// The file with the digest of the bytes read so far; at the end, of the whole file.
  InputFile contents() const;

 private:
  std::uint64_t header_bytes() const { return format_ == TokenFileFormat::kNanoGpt ? 0 : 1024; }
  std::uint64_t width() const { return format_ == TokenFileFormat::kLlmc32 ? 4 : 2; }

  Input input_;
  TokenFileFormat format_ = TokenFileFormat::kNanoGpt;
  Dim size_ = 0, read_ = 0;
  Digest digest_;
};

/// Writes such a file.
class TokenFileWriter final {
 public:
  /// \param tokens  how many will be appended; llm.c's header stores an i32
  /// \throws CannotCreateError, IoError  as DurableFile; DataError for more tokens than the header can store
  TokenFileWriter(const std::string& path, TokenFileFormat format, Dim tokens);
  /// \throws DataError  for an id that does not fit the format
  void append(std::span<const std::int32_t> ids);
  /// \throws std::logic_error  if a different number of tokens was appended than announced
  void commit();

 private:
  DurableFile out_;
  TokenFileFormat format_;
  Dim announced_, appended_ = 0;
};

}  // namespace rapt
