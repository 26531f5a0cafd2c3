#include "text/batches/token_store_writer.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "io/element_type.h"
#include "io/escape.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "text/batches/instance_builder.h"

namespace rapt {

static constexpr std::size_t kJobBytes = std::size_t{1} << 18;    // approximate text of one encoding job
static constexpr std::size_t kRoundBytes = std::size_t{1} << 23;  // approximate text encoded between two writes
static constexpr std::size_t kBlockBytes = std::size_t{1} << 15;  // at least this much text is worth a thread

// --------------------------------------------------------------------------------------------------------------- file

StoreColumn::StoreColumn(const std::string& path, std::string name, ElementType type, Dim width)
    : name_(std::move(name)),
      type_(type),
      width_(width),
      spool_(escape_for_terminal(path) + ": /" + name_, std::filesystem::path(path).parent_path()) {}

void StoreColumn::finish() { file_ = MappedFile(spool_.finish(), name_); }

std::size_t StoreColumn::add_to(Hdf5Layout& layout) const {
  if (width_ == 0) return layout.add_dataset(name_, type_, {count_});
  return layout.add_dataset(name_, type_, {count_ / width_, width_});
}

void StoreColumn::give(const ByteSink& sink) const {
  for (std::size_t at = 0; at < file_.size(); at += kJobBytes) {
    sink(file_.data() + at, std::min(kJobBytes, file_.size() - at));
  }
}

StoreWriter::StoreWriter(const std::string& path, std::int32_t vocabulary, bool sentences)
    : path_(path),
      narrow_(vocabulary <= 65536),
      tokens_(path, "tokens", narrow_ ? ElementType::kU16 : ElementType::kI32),
      documents_(path, "documents", ElementType::kI64) {
  if (sentences) sentences_.emplace(path, "sentences", ElementType::kI64);
}

void StoreWriter::append(std::span<const std::int32_t> ids) {
  if (narrow_) {
    halves_.assign(ids.begin(), ids.end());
    tokens_.append(halves_.data(), halves_.size());
  } else {
    tokens_.append(ids.data(), ids.size());
  }
}

void StoreWriter::end_sentence() {
  if (!sentences_ || count() == sentence_begin_) return;
  sentences_->append({sentence_begin_});
  sentence_begin_ = count();
}

void StoreWriter::end_document() {
  end_sentence();
  if (count() == begin_) return;
  documents_.append({begin_});
  ++document_count_;
  begin_ = count();
}

void StoreWriter::finish() {
  end_document();
  documents_.append({begin_});
  documents_.finish();
  if (!sentences_) return;
  sentences_->append({sentence_begin_});
  sentences_->finish();
}

void StoreWriter::add_instances(const InstanceOptions& options, Dim train_documents) {
  Instances& out = instances_.emplace(Instances{{path_, "instances/begin", ElementType::kI64, 2},
                                                {path_, "instances/length", ElementType::kU16, 2},
                                                {path_, "instances/random", ElementType::kU8},
                                                {path_, "instances/passes", ElementType::kI64}});
  std::int64_t total = 0, real_next = 0;
  const InstanceSink add = [&](const Instance& instance) {
    const auto length = [](TokenRange range) { return static_cast<std::uint16_t>(range.size()); };
    out.begin.append<std::int64_t>({instance.first.begin, instance.second.begin});
    out.length.append<std::uint16_t>({length(instance.first), length(instance.second)});
    out.random.append<std::uint8_t>({static_cast<std::uint8_t>(instance.random_next ? 1 : 0)});
    ++total;
    real_next += instance.random_next ? 0 : 1;
  };
  const TextLayout text{documents_.read<std::int64_t>(), sentences_->read<std::int64_t>()};
  const InstanceBuilder training(text, {0, train_documents}, options, 0);
  for (Dim pass = 0; pass < options.passes; ++pass) {
    out.passes.append<std::int64_t>({total});
    training.build(pass, add);
  }
  if (total == 0) throw DataError(escape_for_terminal(path_) + ": must hold text to train on, got none");
  if (options.task == InstanceTask::kMlmNsp && real_next == 0) {
    throw DataError(escape_for_terminal(path_) +
                    ": next-sentence prediction needs documents of two lines or more, got none; join lines with "
                    "--documents paragraph or file, or leave the pairs out with --task mlm");
  }
  out.passes.append<std::int64_t>({total});
  InstanceBuilder(text, {train_documents, document_count_}, options, 1).build(0, add);
  out.passes.append<std::int64_t>({total});
  for (StoreColumn* column : {&out.begin, &out.length, &out.random, &out.passes}) column->finish();
}

void StoreWriter::commit(Hdf5Layout layout, const std::string& tokenizer, const std::string& sources) {
  std::vector<const StoreColumn*> columns = {&documents_};
  if (sentences_) columns.push_back(&*sentences_);
  if (instances_) {
    for (const StoreColumn* column :
         {&instances_->begin, &instances_->length, &instances_->random, &instances_->passes}) {
      columns.push_back(column);
    }
  }
  for (const StoreColumn* column : columns) column->add_to(layout);
  const std::size_t tokenizer_text = layout.add_string("tokenizer", tokenizer.size());
  layout.add_string("sources", sources.size());
  tokens_.commit(layout, [&](std::size_t dataset, const ByteSink& sink) {
    if (dataset < columns.size()) return columns[dataset]->give(sink);
    const std::string& text = dataset == tokenizer_text ? tokenizer : sources;
    sink(text.data(), text.size());
  });
}

// ------------------------------------------------------------------------------------------------------------ encoding

// After line ends, about `bytes` apart, without the text's end.
static std::vector<std::size_t> line_cuts(std::string_view text, std::size_t bytes) {
  std::vector<std::size_t> cuts;
  for (std::size_t at = bytes; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    if (end == std::string_view::npos || end + 1 == text.size()) break;
    cuts.push_back(end + 1);
    at = end + 1 + bytes;
  }
  return cuts;
}

void CorpusEncoder::add(std::string_view text, std::size_t source, std::uint64_t offset, bool ends, bool mark) {
  if (pending_.empty()) pending_offset_ = offset;
  pending_ += text;
  source_ = source;
  if (ends || pending_.size() >= std::max(4 * kJobBytes, enough_)) cut(ends, mark);
  if (job_bytes_ >= kRoundBytes || jobs_.size() >= kRoundBytes / 64) flush();
}

void CorpusEncoder::flush() {
  // Blocks of consecutive jobs, so that many short documents do not cost many tasks. The division depends only on the
  // text.
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

// Makes jobs of the pending text. Text after the last safe position waits for more, unless the document ends.
void CorpusEncoder::cut(bool ends, bool mark) {
  std::vector<std::size_t> cuts =
      sentences_ ? line_cuts(pending_, kJobBytes) : tokenizer_.safe_cuts(pending_, kJobBytes);
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
  // If there was no position to split at, searching again each time would take quadratic time.
  enough_ = 2 * pending_.size();
}

void CorpusEncoder::encode(const Job& job, Encoded& out) const {
  try {
    if (sentences_) {
      encode_sentences(job, out);
    } else {
      tokenizer_.append_ids(job.text, SpecialTokens::kRecognise, out.ids, static_cast<std::size_t>(job.offset));
    }
  } catch (const DataError& error) {
    throw DataError(escape_for_terminal(corpus_->sources()[job.source].name()) + ": " + error.what());
  }
  if (job.mark && end_of_text_) out.ids.push_back(*end_of_text_);
  if (job.ends) out.document_ends.push_back(out.ids.size());
}

void CorpusEncoder::encode_sentences(const Job& job, Encoded& out) const {
  static constexpr std::string_view kWhite = " \t\v\f\r";
  const std::string_view text = job.text;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    const std::size_t first = line.find_first_not_of(kWhite);
    if (first != std::string_view::npos) {
      line = line.substr(first, line.find_last_not_of(kWhite) + 1 - first);
      tokenizer_.append_ids(line, SpecialTokens::kAsText, out.ids,
                            static_cast<std::size_t>(job.offset) + begin + first);
      out.sentence_ends.push_back(out.ids.size());
    }
    begin = end + 1;
  }
}

void CorpusEncoder::write(const Encoded& block) {
  std::size_t at = 0;
  const auto put = [&](std::size_t end) {
    out_.append(std::span(block.ids).subspan(at, end - at));
    at = end;
  };
  auto sentence = block.sentence_ends.begin();
  const auto put_sentences = [&](std::size_t limit) {
    for (; sentence != block.sentence_ends.end() && *sentence <= limit; ++sentence) {
      put(*sentence);
      out_.end_sentence();
    }
  };
  for (const std::size_t end : block.document_ends) {
    put_sentences(end);
    put(end);
    out_.end_document();
  }
  put_sentences(block.ids.size());
  put(block.ids.size());
}

}  // namespace rapt
