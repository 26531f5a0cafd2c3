#include "text/corpus/token_file.h"

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "io/escape.h"
#include "tensor/error.h"

namespace rapt {

static_assert(std::endian::native == std::endian::little, "token files are little-endian and copied as they are");

// llm.c, dev/data/data_common.py and train_gpt2.py.
static constexpr std::int32_t kMagic16 = 20240520, kMagic32 = 20240801;
static constexpr std::int32_t kMagicModel = 20240326, kMagicEvaluation = 20240522;
static constexpr std::size_t kHeaderWords = 256;

static std::int32_t first_word(const Input& input) {
  std::int32_t word = 0;
  return input.read(0, &word, sizeof word) == sizeof word ? word : 0;
}

bool is_llmc_tokens(const Input& input) {
  const std::int32_t word = first_word(input);
  return word == kMagic16 || word == kMagic32;
}

TokenFile::TokenFile(Input input) : input_(std::move(input)) {
  const std::string name = escape_for_terminal(input_.name());
  const std::int32_t magic = first_word(input_);
  if (magic == kMagicModel) throw DataError(name + ": must be token ids, got a model of llm.c");
  if (magic == kMagicEvaluation) throw DataError(name + ": must be token ids, got an evaluation set of llm.c");
  if (magic != kMagic16 && magic != kMagic32) {
    if (input_.bytes() % 2 != 0) {
      throw DataError(name + ": a token file without a header must be 16-bit numbers, got " +
                      std::to_string(input_.bytes()) + " bytes");
    }
    size_ = static_cast<Dim>(input_.bytes() / 2);
    return;
  }
  format_ = magic == kMagic16 ? TokenFileFormat::kLlmc16 : TokenFileFormat::kLlmc32;
  std::array<std::int32_t, kHeaderWords> header{};
  if (input_.read(0, header.data(), sizeof header) != sizeof header) {
    throw DataError(name + ": the header must have 1024 bytes, got " + std::to_string(input_.bytes()));
  }
  digest_.add(header.data(), sizeof header);
  const std::int32_t version = magic == kMagic16 ? 1 : 7;
  if (header[1] != version) {
    throw DataError(name + ": the version must be " + std::to_string(version) + ", got " + std::to_string(header[1]));
  }
  const std::uint64_t data = input_.bytes() - sizeof header;
  if (header[2] < 0 || data != static_cast<std::uint64_t>(header[2]) * width()) {
    throw DataError(name + ": the header says " + std::to_string(header[2]) + " tokens, the file has " +
                    std::to_string(data) + " bytes of them; it is incomplete or damaged");
  }
  size_ = header[2];
}

void TokenFile::read(std::span<std::int32_t> to, std::int32_t vocabulary_size) {
  if (read_ + static_cast<Dim>(to.size()) > size_) throw std::out_of_range("token file: outside the file");
  const std::uint64_t offset = header_bytes() + static_cast<std::uint64_t>(read_) * width();
  std::size_t bad = to.size();
  if (width() == 4) {
    digest_.add(to.data(), input_.read(offset, to.data(), to.size() * 4));
    for (std::size_t i = to.size(); i-- > 0;) {
      if (to[i] < 0 || to[i] >= vocabulary_size) bad = i;
    }
  } else {
    std::vector<std::uint16_t> ids(to.size());
    digest_.add(ids.data(), input_.read(offset, ids.data(), ids.size() * 2));
    for (std::size_t i = to.size(); i-- > 0;) {
      to[i] = ids[i];
      if (to[i] >= vocabulary_size) bad = i;
    }
  }
  const Dim begin = std::exchange(read_, read_ + static_cast<Dim>(to.size()));
  if (bad == to.size()) return;
  throw DataError(escape_for_terminal(input_.name()) + ": ids must be below the vocabulary's " +
                  std::to_string(vocabulary_size) + ", got " + std::to_string(static_cast<std::uint32_t>(to[bad])) +
                  " at token " + std::to_string(begin + static_cast<Dim>(bad)) +
                  "; the file was made with another tokenizer");
}

InputFile TokenFile::contents() const { return {escape_for_terminal(input_.name()), input_.bytes(), digest_.text()}; }

TokenFileWriter::TokenFileWriter(const std::string& path, TokenFileFormat format, Dim tokens)
    : out_(path, 0), format_(format), announced_(tokens) {
  if (format == TokenFileFormat::kNanoGpt) return;
  if (tokens > std::numeric_limits<std::int32_t>::max()) {
    throw DataError(escape_for_terminal(path) + ": llm.c's header holds at most 2147483647 tokens, got " +
                    std::to_string(tokens) + "; write several files");
  }
  std::array<std::int32_t, kHeaderWords> header{};
  header[0] = format == TokenFileFormat::kLlmc16 ? kMagic16 : kMagic32;
  header[1] = format == TokenFileFormat::kLlmc16 ? 1 : 7;
  header[2] = static_cast<std::int32_t>(tokens);
  out_.append(header.data(), sizeof header);
}

void TokenFileWriter::append(std::span<const std::int32_t> ids) {
  appended_ += static_cast<Dim>(ids.size());
  if (format_ == TokenFileFormat::kLlmc32) {
    out_.append(ids.data(), ids.size_bytes());
    return;
  }
  std::vector<std::uint16_t> narrow(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] < 0 || ids[i] > 65535) {
      throw DataError(escape_for_terminal(out_.path()) + ": this format holds ids up to 65535, got " +
                      std::to_string(ids[i]));
    }
    narrow[i] = static_cast<std::uint16_t>(ids[i]);
  }
  out_.append(narrow.data(), narrow.size() * 2);
}

void TokenFileWriter::commit() {
  if (appended_ != announced_) throw std::logic_error("token file: fewer or more tokens were appended than announced");
  out_.commit();
}

}  // namespace rapt
