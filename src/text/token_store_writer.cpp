#include "text/token_store_writer.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "io/element_type.h"
#include "io/escape.h"
#include "tensor/error.h"
#include "tensor/parallel.h"

namespace rapt {

static constexpr std::size_t kJobBytes = std::size_t{1} << 18;    // text of one encoding job, about
static constexpr std::size_t kRoundBytes = std::size_t{1} << 23;  // text encoded between two writes, about
static constexpr std::size_t kBlockBytes = std::size_t{1} << 15;  // at least so much text is worth a thread's trouble

// --------------------------------------------------------------------------------------------------------------- file

StoreWriter::StoreWriter(const std::string& path, std::int32_t vocabulary)
    : narrow_(vocabulary <= 65536),
      tokens_(path, "tokens", narrow_ ? ElementType::kU16 : ElementType::kI32),
      documents_(escape_for_terminal(path) + ": where documents begin", std::filesystem::path(path).parent_path()) {}

void StoreWriter::append(std::span<const std::int32_t> ids) {
  if (narrow_) {
    halves_.assign(ids.begin(), ids.end());
    tokens_.append(halves_.data(), halves_.size());
  } else {
    tokens_.append(ids.data(), ids.size());
  }
}

void StoreWriter::end_document() {
  if (count() == begin_) return;
  documents_.append(&begin_, sizeof begin_);
  ++document_count_;
  begin_ = count();
}

void StoreWriter::commit(Hdf5Layout layout, const std::string& tokenizer, const std::string& sources) {
  end_document();
  documents_.append(&begin_, sizeof begin_);
  const std::uint64_t bytes = documents_.size();
  const FileDescriptor spool = documents_.finish();
  const std::size_t documents = layout.add_dataset("documents", ElementType::kI64, {document_count_ + 1});
  const std::size_t tokenizer_text = layout.add_string("tokenizer", tokenizer.size());
  layout.add_string("sources", sources.size());
  tokens_.commit(layout, [&](std::size_t dataset, const ByteSink& sink) {
    if (dataset != documents) {
      const std::string& text = dataset == tokenizer_text ? tokenizer : sources;
      return sink(text.data(), text.size());
    }
    std::vector<char> block(kJobBytes);
    for (std::uint64_t at = 0; at < bytes; at += block.size()) {
      block.resize(static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), bytes - at)));
      read_at(spool, "documents", at, block.data(), block.size());
      sink(block.data(), block.size());
    }
  });
}

// ------------------------------------------------------------------------------------------------------------ encoding

void CorpusEncoder::add(std::string_view text, std::size_t source, std::uint64_t offset, bool ends, bool mark) {
  if (pending_.empty()) pending_offset_ = offset;
  pending_ += text;
  source_ = source;
  if (ends || pending_.size() >= std::max(4 * kJobBytes, enough_)) cut(ends, mark);
  if (job_bytes_ >= kRoundBytes || jobs_.size() >= kRoundBytes / 64) flush();
}

void CorpusEncoder::flush() {
  // Blocks of neighbouring jobs, so that many short documents do not cost many tasks. The cut depends on the text
  // alone.
  std::vector<std::size_t> begin = {0};
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    bytes += jobs_[i].text.size();
    if (bytes >= kBlockBytes || i + 1 == jobs_.size()) {
      begin.push_back(i + 1);
      bytes = 0;
    }
  }
  std::vector<Encoded> blocks(begin.size() - 1);
  parallel_for(
      static_cast<Dim>(blocks.size()),
      [&](Dim b) {
        const auto block = static_cast<std::size_t>(b);
        for (std::size_t i = begin[block]; i < begin[block + 1]; ++i) encode(jobs_[i], blocks[block]);
      },
      Schedule::kDynamic);
  for (const Encoded& block : blocks) write(block);
  jobs_.clear();
  job_bytes_ = 0;
}

// Makes jobs of the pending text; what is behind the last safe place waits for more, unless the document ends.
void CorpusEncoder::cut(bool ends, bool mark) {
  std::vector<std::size_t> cuts = tokenizer_.safe_cuts(pending_, kJobBytes);
  if (ends) cuts.push_back(pending_.size());
  std::size_t at = 0;
  for (const std::size_t to : cuts) {
    const bool last = ends && to == pending_.size();
    jobs_.push_back({pending_.substr(at, to - at), source_, pending_offset_ + at, last, last && mark});
    job_bytes_ += to - at;
    at = to;
  }
  pending_.erase(0, at);
  pending_offset_ += at;
  // Where there was no place to cut, looking for one again and again would take the square of the length.
  enough_ = 2 * pending_.size();
}

void CorpusEncoder::encode(const Job& job, Encoded& out) const {
  try {
    tokenizer_.append_ids(job.text, SpecialTokens::kRecognise, out.ids, static_cast<std::size_t>(job.offset));
  } catch (const DataError& error) {
    throw DataError(escape_for_terminal(corpus_->sources()[job.source].name()) + ": " + error.what());
  }
  if (job.mark && end_of_text_) out.ids.push_back(*end_of_text_);
  if (job.ends) out.document_ends.push_back(out.ids.size());
}

void CorpusEncoder::write(const Encoded& block) {
  std::size_t at = 0;
  for (const std::size_t end : block.document_ends) {
    out_.append(std::span(block.ids).subspan(at, end - at));
    out_.end_document();
    at = end;
  }
  out_.append(std::span(block.ids).subspan(at));
}

}  // namespace rapt
