#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>

#include "io/escape.h"
#include "io/json.h"
#include "tensor/error.h"
#include "text/batches/held_out.h"
#include "text/batches/masking.h"
#include "text/batches/token_store.h"
#include "text/batches/token_store_writer.h"
#include "text/corpus/token_file.h"

namespace rapt {

static constexpr Dim kTokensAtOnce = Dim{1} << 21;  // copied at a time from token files

std::optional<std::int32_t> document_end(const Corpus& corpus, const Tokenizer& tokenizer) {
  if (corpus.sources().size() == 1 && corpus.documents_are_files()) return std::nullopt;
  return tokenizer.end_of_text();
}

namespace {

Json key_of(const Corpus& corpus) {
  const CorpusOptions& options = corpus.options();
  const std::vector<InputFile> files = corpus.files();
  Json sources = Json::array();
  for (std::size_t i = 0; i < files.size(); ++i) {
    sources.push_back({static_cast<int>(corpus.sources()[i].format()), files[i].digest});
  }
  return {{"sources", sources}, {"unit", static_cast<int>(options.unit)}, {"text_field", options.text_field}};
}

Json key_of(const InstanceOptions& instances, const MaskingOptions& masking) {
  return {{"task", name_of(instances.task)},
          {"context", instances.context},
          {"passes", instances.passes},
          {"short_probability", instances.short_probability},
          {"document_lines", instances.document_lines},
          {"seed", instances.seed},
          {"mask_probability", masking.probability},
          {"max_predictions", masking.most},
          {"whole_words", masking.whole_words},
          {"dynamic", masking.dynamic}};
}

// How much of a corpus is the training part.
struct Split {
  std::uint64_t characters = std::numeric_limits<std::uint64_t>::max();
  std::int64_t documents = std::numeric_limits<std::int64_t>::max();
  bool by_documents = false;
};

class StoreBuilder final {
 public:
  StoreBuilder(const Tokenizer& tokenizer, const std::string& path, const TokenStoreOptions& options,
               const TokenStoreProgress& progress)
      : path_(path),
        tokenizer_(tokenizer),
        options_(options),
        progress_(progress),
        out_(path, tokenizer.vocabulary_size(), options.instances.has_value()),
        encoder_(tokenizer, options.end_of_text, options.instances.has_value(), out_) {}

  void build(const Corpus& train, const Corpus* validation, const std::string& key) {
    const bool split = validation == nullptr && options_.validation_fraction > 0;
    if (train.holds_tokens()) {
      add_tokens(train, split);
    } else {
      add_text(train, validation, split);
    }
    if (!boundary_) end_training_part();
    if (validation != nullptr) {
      if (validation->holds_tokens()) {
        add_tokens(*validation, false);
      } else {
        add_all_text(*validation, Split{});
      }
    }
    finish(train, validation, key);
  }

 private:
  void add_text(const Corpus& train, const Corpus* validation, bool split) {
    const CorpusInfo& info = train.scan();
    if (info.documents == 0) {
      throw DataError(escape_for_terminal(train.sources().front().name()) + ": must hold text, got none");
    }
    total_bytes_ = info.bytes;
    if (validation != nullptr && !validation->holds_tokens()) total_bytes_ += validation->scan().bytes;
    Split at;
    if (split) {
      const double kept = 1.0 - options_.validation_fraction;
      at.by_documents = !train.documents_are_files() && info.documents > 1;
      if (at.by_documents) {
        at.documents = static_cast<std::int64_t>(kept * static_cast<double>(info.documents));
        at.documents = std::clamp<std::int64_t>(at.documents, 1, info.documents - 1);
      } else {
        at.characters = static_cast<std::uint64_t>(kept * static_cast<double>(info.characters));
      }
    }
    if (!at.by_documents || !options_.instances) return add_all_text(train, at);
    add_text_in_parts(train, HeldOut(info.documents, info.documents - at.documents));
  }

  // Held-out documents are spread over the text: they are kept aside until the training part is complete.
  void add_text_in_parts(const Corpus& train, const HeldOut& held_out) {
    PiecesAside aside(path_);
    encoder_.begin_corpus(train);
    CorpusReader reader = train.read();
    CorpusPiece piece;
    std::int64_t documents = 0;
    std::size_t source = 0;
    bool held = false, held_before = false;
    while (reader.next(piece)) {
      if (piece.begins) {
        held_before = held;
        held = held_out(documents++);
        if (held || piece.source != source) end_joined(source);
        source = piece.source;
      }
      if (held) {
        aside.add(piece, held_before);
      } else {
        add_piece(train, piece, piece.text);
      }
    }
    end_joined(source);
    end_training_part();
    source = 0;
    while (const auto follows = aside.next(piece)) {
      if (piece.begins && (!*follows || piece.source != source)) end_joined(source);
      source = piece.source;
      add_piece(train, piece, piece.text);
    }
    end_joined(source);
    encoder_.flush();
  }

  void add_all_text(const Corpus& corpus, const Split& split) {
    encoder_.begin_corpus(corpus);
    CorpusReader reader = corpus.read();
    CorpusPiece piece;
    std::int64_t documents = 0;
    std::uint64_t characters = 0;
    std::size_t source = 0;
    while (reader.next(piece)) {
      if (piece.begins) {
        if (piece.source != source) end_joined(source);
        source = piece.source;
        if (documents++ == split.documents) end_training_part();
      }
      std::string_view text = piece.text;
      if (!boundary_ && !split.by_documents) {
        const std::uint64_t left = split.characters - std::min(characters, split.characters);
        std::size_t first = bytes_of_characters(text, left, characters);
        if (options_.instances) first = end_of_line(text, first);
        if (first < text.size()) {
          if (piece.offset + first > 0) add(text.substr(0, first), piece.source, piece.offset, true, false);
          end_training_part();
          text.remove_prefix(first);
        }
      }
      add_piece(corpus, piece, text);
    }
    end_joined(source);
    encoder_.flush();
  }

  /// \param text  the rest of the piece's own text
  void add_piece(const Corpus& corpus, const CorpusPiece& piece, std::string_view text) {
    const bool joins = joins_next(corpus, piece);
    const std::uint64_t end = piece.offset + piece.text.size();
    add(text, piece.source, end - text.size(), piece.ends && !joins, piece.ends && !joins);
    if (joins) encoder_.add("\n", piece.source, end, false, false);
  }

  // Whether the paragraph ends here, but not the document; see InstanceOptions::document_lines.
  bool joins_next(const Corpus& corpus, const CorpusPiece& piece) {
    if (!options_.instances || corpus.options().unit != DocumentUnit::kParagraph) return false;
    if (corpus.sources()[piece.source].format() == SourceFormat::kJsonLines) return false;
    joined_lines_ += std::count(piece.text.begin(), piece.text.end(), '\n') + (piece.begins ? 1 : 0);
    if (!piece.ends) return false;
    if (joined_lines_ < options_.instances->document_lines) return true;
    joined_lines_ = 0;
    return false;
  }

  void end_joined(std::size_t source) {
    if (joined_lines_ > 0) encoder_.add("", source, 0, true, false);
    joined_lines_ = 0;
  }

  // The first position from `at` on where a line starts, or the text's end.
  static std::size_t end_of_line(std::string_view text, std::size_t at) {
    if (at > 0 && text[at - 1] == '\n') return at;
    const std::size_t end = text.find('\n', at);
    return end == std::string_view::npos ? text.size() : end + 1;
  }

  void add(std::string_view text, std::size_t source, std::uint64_t offset, bool ends, bool mark) {
    encoder_.add(text, source, offset, ends, mark);
    (boundary_ ? validation_bytes_ : train_bytes_) += text.size();
    done_bytes_ += text.size();
    if (progress_) progress_(done_bytes_, total_bytes_);
  }

  // The length in bytes of the text's first `count` characters, at most the whole text; adds the number of characters
  // to `passed`.
  static std::size_t bytes_of_characters(std::string_view text, std::uint64_t count, std::uint64_t& passed) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool begins = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
      if (begins && count-- == 0) return i;
      passed += begins ? 1 : 0;
    }
    return text.size();
  }

  void add_tokens(const Corpus& corpus, bool split) {
    std::vector<TokenFile> files;
    Dim total = 0;
    for (const CorpusSource& source : corpus.sources()) total += files.emplace_back(source.open()).size();
    if (total == 0) {
      throw DataError(escape_for_terminal(corpus.sources().front().name()) + ": there must be tokens, got none");
    }
    const Dim boundary = split ? static_cast<Dim>((1.0 - options_.validation_fraction) * static_cast<double>(total))
                               : std::numeric_limits<Dim>::max();
    const std::vector<std::uint32_t> lengths = token_lengths();
    std::vector<std::int32_t> ids;
    Dim passed = 0;
    for (std::size_t i = 0; i < files.size(); ++i) {
      TokenFile& file = files[i];
      for (Dim at = 0; at < file.size(); at += static_cast<Dim>(ids.size())) {
        if (passed == boundary) end_training_part();
        Dim count = std::min(kTokensAtOnce, file.size() - at);
        if (passed < boundary) count = std::min(count, boundary - passed);
        ids.resize(static_cast<std::size_t>(count));
        file.read(ids, tokenizer_.vocabulary_size());
        out_.append(ids);
        for (const std::int32_t id : ids) {
          (boundary_ ? validation_bytes_ : train_bytes_) += lengths[static_cast<std::size_t>(id)];
        }
        passed += count;
        if (progress_) progress_(static_cast<std::uint64_t>(passed), static_cast<std::uint64_t>(total));
      }
      corpus.note(i, file.contents());
      out_.end_document();
    }
  }

  // Number of bytes of text that each token stands for.
  std::vector<std::uint32_t> token_lengths() const {
    std::vector<std::uint32_t> lengths;
    for (std::int32_t id = 0; id < tokenizer_.vocabulary_size(); ++id) {
      const bool is_text = !tokenizer_.is_special(id);
      lengths.push_back(is_text ? static_cast<std::uint32_t>(tokenizer_.piece(id, false, false).size()) : 0);
    }
    return lengths;
  }

  void end_training_part() {
    encoder_.flush();
    out_.end_document();
    boundary_ = out_.count();
    train_documents_ = out_.document_count();
  }

  static Json describe_sources(const Corpus& corpus) {
    Json list = Json::array();
    for (const InputFile& file : corpus.files()) list.push_back(to_json(file));
    return list;
  }

  void finish(const Corpus& train, const Corpus* validation, const std::string& key) {
    Json sources = {{"train", describe_sources(train)}};
    if (validation != nullptr) sources["validation"] = describe_sources(*validation);
    Hdf5Layout layout;
    const auto whole = [&](const char* name, auto value) {
      layout.add_attribute("", name, static_cast<std::int64_t>(value));
    };
    layout.add_attribute("", "format", std::string("rapt tokens"));
    whole("version", 1);
    whole("vocabulary", tokenizer_.vocabulary_size());
    whole("end_of_text", options_.end_of_text.value_or(-1));
    whole("train_tokens", *boundary_);
    whole("train_documents", train_documents_);
    whole("train_bytes", train_bytes_);
    whole("validation_bytes", validation_bytes_);
    layout.add_attribute("", "key", key);
    out_.finish();
    if (options_.instances) {
      describe_instances(layout);
      out_.add_instances(*options_.instances, train_documents_);
    }
    out_.commit(std::move(layout), tokenizer_.to_json(), dump_compact(sources));
  }

  void describe_instances(Hdf5Layout& layout) const {
    const InstanceOptions& instances = *options_.instances;
    layout.add_group("instances");
    const auto add = [&](const char* name, Hdf5Value value) {
      layout.add_attribute("instances", name, std::move(value));
    };
    add("task", std::string(name_of(instances.task)));
    add("context", instances.context);
    add("passes", instances.passes);
    add("short_probability", instances.short_probability);
    add("document_lines", instances.document_lines);
    add("seed", static_cast<std::int64_t>(instances.seed));
    add("mask_probability", options_.masking.probability);
    add("max_predictions", options_.masking.most);
    add("whole_words", std::int64_t{options_.masking.whole_words ? 1 : 0});
    add("dynamic", std::int64_t{options_.masking.dynamic ? 1 : 0});
  }

  const std::string& path_;
  const Tokenizer& tokenizer_;
  const TokenStoreOptions& options_;
  const TokenStoreProgress& progress_;
  StoreWriter out_;
  CorpusEncoder encoder_;
  std::optional<Dim> boundary_;  // of the training part, once known
  Dim train_documents_ = 0;
  std::uint64_t train_bytes_ = 0, validation_bytes_ = 0;
  std::uint64_t done_bytes_ = 0, total_bytes_ = 0;
  std::int64_t joined_lines_ = 0;  // of paragraphs whose document continues
};

void require_options(const TokenStoreOptions& options, const Tokenizer& tokenizer) {
  if (!(options.validation_fraction >= 0 && options.validation_fraction < 1)) {
    throw UsageError("corpus: the validation fraction must be at least 0 and below 1, got " +
                     std::to_string(options.validation_fraction));
  }
  if (options.end_of_text && (*options.end_of_text < 0 || *options.end_of_text >= tokenizer.vocabulary_size())) {
    throw std::invalid_argument("token store: end_of_text must be in the vocabulary, got " +
                                std::to_string(*options.end_of_text));
  }
  if (!options.instances) return;
  if (options.end_of_text) throw std::invalid_argument("token store: instances need a corpus without end_of_text");
  require_instance_options(*options.instances);
  const Masker masker(tokenizer, options.masking, options.instances->context);  // fails here rather than during
                                                                                // training
}

}  // namespace

std::string token_store_key(const Corpus& train, const Corpus* validation, const Tokenizer& tokenizer,
                            const TokenStoreOptions& options) {
  Json key = {{"version", 1}, {"train", key_of(train)}};
  if (validation != nullptr) {
    key["validation"] = key_of(*validation);
  } else {
    key["validation_fraction"] = options.validation_fraction;
  }
  key["end_of_text"] = options.end_of_text.value_or(-1);
  if (options.instances) key["instances"] = key_of(*options.instances, options.masking);
  key["tokenizer"] = digest_of(tokenizer.to_json());
  return digest_of(dump_compact(key));
}

TokenStore build_token_store(const Corpus& train, const Corpus* validation, const Tokenizer& tokenizer,
                             const std::string& path, const TokenStoreOptions& options,
                             const TokenStoreProgress& progress) {
  require_options(options, tokenizer);
  for (const Corpus* corpus : {&train, validation}) {  // before the key, which needs the digests of this reading
    if (corpus != nullptr && !corpus->holds_tokens()) corpus->scan();
  }
  StoreBuilder(tokenizer, path, options, progress)
      .build(train, validation, token_store_key(train, validation, tokenizer, options));
  return TokenStore::open(path);
}

TokenStore open_or_build_token_store(const Corpus& train, const Corpus* validation, const Tokenizer& tokenizer,
                                     const std::string& path, const TokenStoreOptions& options,
                                     const TokenStoreProgress& progress) {
  require_options(options, tokenizer);
  if (std::filesystem::exists(path)) {
    try {
      TokenStore store = TokenStore::open(path);
      if (store.key() == token_store_key(train, validation, tokenizer, options)) return store;
    } catch (const DataError&) {  // built again
    }
  }
  return build_token_store(train, validation, tokenizer, path, options, progress);
}

}  // namespace rapt
