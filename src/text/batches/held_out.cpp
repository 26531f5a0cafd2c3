#include "text/batches/held_out.h"

#include <algorithm>
#include <filesystem>

#include "io/escape.h"

namespace rapt {

// ----------------------------------------------------------------------------------------------------- which documents

HeldOut::HeldOut(std::int64_t documents, std::int64_t held)
    : documents_(documents), held_(held), stretches_(std::min<std::int64_t>(10, held)) {}

bool HeldOut::operator()(std::int64_t document) const {
  const std::int64_t stretch = ((document + 1) * stretches_ - 1) / documents_;
  const auto shared = [&](std::int64_t of, std::int64_t stretch_end) { return of * stretch_end / stretches_; };
  const std::int64_t held = shared(held_, stretch + 1) - shared(held_, stretch);
  return document >= shared(documents_, stretch + 1) - held;
}

// --------------------------------------------------------------------------------------------------------------- aside

namespace {

// The header of a piece's text.
struct Record {
  std::uint64_t bytes = 0, offset = 0, source = 0;
  bool begins = false, ends = false, follows = false;
};

}  // namespace

PiecesAside::PiecesAside(const std::string& path)
    : spool_(escape_for_terminal(path) + ": what is held out", std::filesystem::path(path).parent_path()) {}

void PiecesAside::add(const CorpusPiece& piece, bool follows) {
  const Record record{piece.text.size(), piece.offset, piece.source, piece.begins, piece.ends, follows};
  spool_.append(&record, sizeof record);
  spool_.append(piece.text.data(), piece.text.size());
}

std::optional<bool> PiecesAside::next(CorpusPiece& piece) {
  Record record;
  if (spool_.read(taken_, &record, sizeof record) == 0) return std::nullopt;
  piece.text.resize(record.bytes);
  spool_.read(taken_ + sizeof record, piece.text.data(), record.bytes);
  taken_ += sizeof record + record.bytes;
  piece.begins = record.begins;
  piece.ends = record.ends;
  piece.source = static_cast<std::size_t>(record.source);
  piece.offset = record.offset;
  return record.follows;
}

}  // namespace rapt
