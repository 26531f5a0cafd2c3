#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include "io/escape.h"
#include "io/hdf5_stream.h"
#include "io/json.h"
#include "tensor/error.h"
#include "tensor/parallel.h"
#include "text/batches/held_out.h"
#include "text/batches/token_store_writer.h"
#include "text/pairs/pair_store.h"

namespace rapt {
namespace {

constexpr std::size_t kRoundBytes = std::size_t{1} << 23;  // approximate text encoded between two writes
constexpr std::size_t kBlockBytes = std::size_t{1} << 15;  // at least this much text is worth a thread

std::int64_t held_out_pairs(const PairStoreOptions& options, std::int64_t pairs) {
  if (options.validation_fraction <= 0 || pairs < 2) return 0;
  const auto held = static_cast<std::int64_t>(options.validation_fraction * static_cast<double>(pairs));
  return std::clamp<std::int64_t>(held, 1, pairs - 1);
}

class PairStoreBuilder final {
 public:
  PairStoreBuilder(const PairTokenizers& tokenizers, const std::string& path, const PairStoreOptions& options)
      : tokenizers_(tokenizers),
        options_(options),
        narrow_(std::max(tokenizers.source.vocabulary_size(), tokenizers.target.vocabulary_size()) <= 65536),
        tokens_(path, "tokens", narrow_ ? ElementType::kU16 : ElementType::kI32),
        sides_(path, "sides", ElementType::kI64) {
    if (!options.keeps_texts) return;
    texts_.emplace(path, "texts", ElementType::kU8);
    text_sides_.emplace(path, "text_sides", ElementType::kI64);
  }

  void build(const PairCorpus& train, const PairCorpus* validation, const std::string& key) {
    const std::int64_t pairs = train.scan().pairs;
    counts_.empty = train.scan().empty;
    counts_.first_empty = train.scan().first_empty;
    const std::int64_t held = validation == nullptr ? held_out_pairs(options_, pairs) : 0;
    const std::optional<HeldOut> held_out = held > 0 ? std::optional<HeldOut>({pairs, held}) : std::nullopt;
    add(train, true, [&](std::int64_t pair) { return !held_out || !(*held_out)(pair); });
    train_pairs_ = pairs_;
    train_source_tokens_ = source_tokens_;
    if (train_pairs_ == 0) {
      throw DataError(escape_for_terminal(train.name()) + ": must leave pairs to train on, got none of " +
                      std::to_string(pairs) + "; raise --max-length-ratio");
    }
    // What is held out is read once more, so that it need not be kept anywhere.
    if (held_out) add(train, false, *held_out);
    if (validation != nullptr) add(*validation, false, [](std::int64_t) { return true; });
    finish(train, validation, key);
  }

 private:
  struct Encoded {
    std::vector<std::int32_t> source, target;
  };

  template <typename Chosen>
  void add(const PairCorpus& corpus, bool trains, const Chosen& chosen) {
    PairCorpusReader reader = corpus.read();
    std::int64_t index = 0;
    std::size_t bytes = 0;
    for (Pair pair; reader.next(pair); ++index) {
      if (!chosen(index)) continue;
      bytes += pair.source.size() + pair.target.size();
      places_.push_back(reader.where(pair));
      waiting_.push_back(std::move(pair));
      if (bytes < kRoundBytes) continue;
      flush(trains);
      bytes = 0;
    }
    flush(trains);
  }

  void flush(bool trains) {
    std::vector<std::size_t> begin = {0};
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      bytes += waiting_[i].source.size() + waiting_[i].target.size();
      if (bytes < kBlockBytes && i + 1 < waiting_.size()) continue;
      begin.push_back(i + 1);
      bytes = 0;
    }
    std::vector<Encoded> encoded(waiting_.size());
    parallel_for(
        static_cast<Dim>(begin.size()) - 1,
        [&](Dim block) {
          const auto b = static_cast<std::size_t>(block);
          for (std::size_t i = begin[b]; i < begin[b + 1]; ++i) encode(i, encoded[i]);
        },
        Schedule::kDynamic);
    for (std::size_t i = 0; i < waiting_.size(); ++i) write(i, encoded[i], trains);
    waiting_.clear();
    places_.clear();
  }

  void encode(std::size_t i, Encoded& out) const {
    try {
      tokenizers_.source.append_ids(waiting_[i].source, SpecialTokens::kAsText, out.source);
      tokenizers_.target.append_ids(waiting_[i].target, SpecialTokens::kAsText, out.target);
    } catch (const DataError& error) {
      throw DataError(places_[i] + ": " + error.what());
    }
  }

  void write(std::size_t i, Encoded& pair, bool trains) {
    if (pair.source.empty() || pair.target.empty()) {  // only characters that the tokenizer drops
      if (counts_.empty++ == 0) counts_.first_empty = places_[i];
      return;
    }
    if (trains && is_unequal(pair)) {
      if (counts_.unequal++ == 0) counts_.first_unequal = places_[i];
      return;
    }
    cut(pair.source, options_.max_source_length, counts_.cut_sources);
    cut(pair.target, options_.max_target_length, counts_.cut_targets);
    source_tokens_ += static_cast<std::int64_t>(pair.source.size());
    ++pairs_;
    append(pair.source, waiting_[i].source);
    append(pair.target, waiting_[i].target);
  }

  bool is_unequal(const Encoded& pair) const {
    const std::size_t less = std::min(pair.source.size(), pair.target.size());
    const std::size_t more = std::max(pair.source.size(), pair.target.size());
    return options_.max_length_ratio > 0 &&
           static_cast<double>(more) > options_.max_length_ratio * static_cast<double>(less);
  }

  // A special token is added to each text later.
  static void cut(std::vector<std::int32_t>& ids, Dim longest, std::int64_t& count) {
    if (longest <= 0 || static_cast<Dim>(ids.size()) < longest) return;
    ids.resize(static_cast<std::size_t>(std::max<Dim>(1, longest - 1)));
    ++count;
  }

  void append(const std::vector<std::int32_t>& ids, const std::string& text) {
    sides_.append<std::int64_t>({static_cast<std::int64_t>(tokens_.count())});
    if (narrow_) {
      halves_.assign(ids.begin(), ids.end());
      tokens_.append(halves_.data(), halves_.size());
    } else {
      tokens_.append(ids.data(), ids.size());
    }
    if (!texts_) return;
    text_sides_->append<std::int64_t>({text_bytes_});
    texts_->append(std::span(text.data(), text.size()));
    text_bytes_ += static_cast<std::int64_t>(text.size());
  }

  static Json describe_sources(const PairCorpus& corpus) {
    Json list = Json::array();
    for (const InputFile& file : corpus.files()) list.push_back(to_json(file));
    return list;
  }

  void finish(const PairCorpus& train, const PairCorpus* validation, const std::string& key) {
    Json sources = {{"train", describe_sources(train)}};
    if (validation != nullptr) sources["validation"] = describe_sources(*validation);
    Hdf5Layout layout;
    layout.add_attribute("", "format", std::string("rapt pairs"));
    const auto whole = [&](const char* name, auto value) {
      layout.add_attribute("", name, static_cast<std::int64_t>(value));
    };
    whole("version", 1);
    whole("source_vocabulary", tokenizers_.source.vocabulary_size());
    whole("target_vocabulary", tokenizers_.target.vocabulary_size());
    whole("train_pairs", train_pairs_);
    whole("source_tokens", source_tokens_);
    whole("train_source_tokens", train_source_tokens_);
    whole("max_source_length", options_.max_source_length);
    whole("max_target_length", options_.max_target_length);
    const Json counts = {{"empty", counts_.empty},
                         {"first_empty", counts_.first_empty},
                         {"unequal", counts_.unequal},
                         {"first_unequal", counts_.first_unequal},
                         {"cut_sources", counts_.cut_sources},
                         {"cut_targets", counts_.cut_targets}};
    layout.add_attribute("", "counts", dump_compact(counts));
    layout.add_attribute("", "key", key);
    sides_.append<std::int64_t>({static_cast<std::int64_t>(tokens_.count())});
    std::vector<StoreColumn*> columns = {&sides_};
    if (texts_) {
      text_sides_->append<std::int64_t>({text_bytes_});
      columns.insert(columns.end(), {&*texts_, &*text_sides_});
    }
    for (StoreColumn* column : columns) {
      column->finish();
      column->add_to(layout);
    }
    const std::string texts[] = {tokenizers_.source.to_json(), tokenizers_.target.to_json(), dump_compact(sources)};
    layout.add_string("tokenizer_source", texts[0].size());
    layout.add_string("tokenizer_target", texts[1].size());
    layout.add_string("sources", texts[2].size());
    tokens_.commit(layout, [&](std::size_t dataset, const ByteSink& sink) {
      if (dataset < columns.size()) return columns[dataset]->give(sink);
      const std::string& text = texts[dataset - columns.size()];
      sink(text.data(), text.size());
    });
  }

  const PairTokenizers& tokenizers_;
  const PairStoreOptions& options_;
  bool narrow_;
  Hdf5Appender tokens_;
  StoreColumn sides_;
  std::optional<StoreColumn> texts_, text_sides_;
  std::int64_t text_bytes_ = 0;
  std::vector<Pair> waiting_;
  std::vector<std::string> places_;  // of the waiting pairs, for messages
  std::vector<std::uint16_t> halves_;
  PairStoreCounts counts_;
  std::int64_t pairs_ = 0, train_pairs_ = 0, source_tokens_ = 0, train_source_tokens_ = 0;
};

Json key_of(const PairCorpus& corpus) {
  Json files = Json::array();
  for (const InputFile& file : corpus.files()) files.push_back(file.digest);
  const PairColumns& columns = corpus.columns();
  return {{"files", files},
          {"aligned", corpus.is_aligned()},
          {"source", columns.source},
          {"target", columns.target},
          {"format", columns.format ? static_cast<int>(*columns.format) : -1},
          {"header", columns.header ? static_cast<int>(*columns.header) : -1}};
}

// Digest of everything that determines the contents.
std::string pair_store_key(const PairCorpus& train, const PairCorpus* validation, const PairTokenizers& tokenizers,
                           const PairStoreOptions& options) {
  Json key = {{"version", 1},
              {"train", key_of(train)},
              {"max_source_length", options.max_source_length},
              {"max_target_length", options.max_target_length},
              {"max_length_ratio", options.max_length_ratio},
              {"keeps_texts", options.keeps_texts},
              {"source", digest_of(tokenizers.source.to_json())},
              {"target", digest_of(tokenizers.target.to_json())}};
  if (validation != nullptr) {
    key["validation"] = key_of(*validation);
  } else {
    key["validation_fraction"] = options.validation_fraction;
  }
  return digest_of(dump_compact(key));
}

}  // namespace

PairStore build_pair_store(const PairCorpus& train, const PairCorpus* validation, const PairTokenizers& tokenizers,
                           const std::string& path, const PairStoreOptions& options) {
  for (const PairCorpus* corpus : {&train, validation}) {  // before the key, which needs the digests of this reading
    if (corpus != nullptr) corpus->scan();
  }
  PairStoreBuilder(tokenizers, path, options)
      .build(train, validation, pair_store_key(train, validation, tokenizers, options));
  return PairStore::open(path);
}

PairStore open_or_build_pair_store(const PairCorpus& train, const PairCorpus* validation,
                                   const PairTokenizers& tokenizers, const std::string& path,
                                   const PairStoreOptions& options) {
  if (std::filesystem::exists(path)) {
    try {
      PairStore store = PairStore::open(path);
      if (store.key() == pair_store_key(train, validation, tokenizers, options)) return store;
    } catch (const DataError&) {  // built again
    }
  }
  return build_pair_store(train, validation, tokenizers, path, options);
}

}  // namespace rapt
