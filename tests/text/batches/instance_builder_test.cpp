#include "text/batches/instance_builder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "tensor/error.h"
#include "tensor/random.h"

using namespace rapt;

namespace {

/// A corpus of which only the sentence lengths are known.
struct CorpusOfLengths {
  std::vector<std::int64_t> documents = {0}, sentences = {0};

  void add(const std::vector<Dim>& lengths) {
    for (const Dim length : lengths) sentences.push_back(sentences.back() + length);
    documents.push_back(sentences.back());
  }
  TextLayout layout() const { return {documents, sentences}; }
  Dim size() const { return static_cast<Dim>(documents.size()) - 1; }
  TokenRange document(Dim d) const {
    return {documents[static_cast<std::size_t>(d)], documents[static_cast<std::size_t>(d) + 1]};
  }
  Dim document_of(Dim token) const {
    return std::upper_bound(documents.begin(), documents.end(), token) - documents.begin() - 1;
  }
};

/// Documents with `least` to `least + more` sentences, each of 1 to `longest` tokens.
CorpusOfLengths random_corpus(Dim documents, Dim least, Dim more, Dim longest) {
  CorpusOfLengths corpus;
  Rng rng(random_key(1, Purpose::kText));
  const auto below = [&](Dim bound) { return static_cast<Dim>(rng.below(static_cast<std::uint64_t>(bound))); };
  for (Dim d = 0; d < documents; ++d) {
    std::vector<Dim> lengths(static_cast<std::size_t>(least + below(more + 1)));
    for (Dim& length : lengths) length = 1 + below(longest);
    corpus.add(lengths);
  }
  return corpus;
}

std::vector<Instance> instances_of(const CorpusOfLengths& corpus, const InstanceOptions& options, Dim pass = 0,
                                   std::uint32_t stream = 0) {
  std::vector<Instance> instances;
  InstanceBuilder(corpus.layout(), {0, corpus.size()}, options, stream).build(pass, [&](const Instance& instance) {
    instances.push_back(instance);
  });
  return instances;
}

using Flat = std::tuple<Dim, Dim, Dim, Dim, bool>;
Flat flat(const Instance& i) { return {i.first.begin, i.first.end, i.second.begin, i.second.end, i.random_next}; }
std::vector<Flat> flat(const std::vector<Instance>& instances) {
  std::vector<Flat> all;
  for (const Instance& instance : instances) all.push_back(flat(instance));
  return all;
}

Dim text_size(const Instance& instance) { return instance.first.size() + instance.second.size(); }

double random_share(const std::vector<Instance>& instances) {
  const auto random =
      std::count_if(instances.begin(), instances.end(), [](const Instance& i) { return i.random_next; });
  return static_cast<double>(random) / static_cast<double>(instances.size());
}

}  // namespace

TEST_CASE("two tiny documents give pairs worked out by hand") {
  // Text of at most 7 tokens, pieces of at most 3: sentences 0-3, and 3-7, which is split into 3-5 and 5-7.
  CorpusOfLengths corpus;
  corpus.add({3});
  corpus.add({4});
  const std::set<Flat> lone = {{0, 3, 3, 7, true}, {0, 3, 5, 7, true}};  // fills up to 7, starting at a random piece
  const std::vector<Flat> next = {{3, 5, 5, 7, false}};
  const std::vector<Flat> put_back = {{3, 5, 0, 3, true}, {5, 7, 0, 3, true}};
  std::map<Flat, int> first;
  std::map<std::vector<Flat>, int> rest;
  for (Dim pass = 0; pass < 1000; ++pass) {
    std::vector<Flat> all = flat(instances_of(corpus, {.context = 10, .short_probability = 0}, pass));
    ++first[all.front()];
    all.erase(all.begin());
    ++rest[all];
  }
  CHECK(first.size() == 2);
  for (const auto& [pair, count] : first) {
    CHECK(lone.count(pair) == 1);
    CHECK(count > 420);  // of 1000 with probability 1/2: five standard deviations
  }
  CHECK(rest.size() == 2);
  CHECK(rest[next] > 420);
  CHECK(rest[put_back] > 420);
}

TEST_CASE("no token is lost: text that a random pair did not use starts the next pair") {
  const CorpusOfLengths corpus = random_corpus(50, 1, 60, 1);  // sentences of one token: nothing is truncated
  for (Dim pass = 0; pass < 5; ++pass) {
    std::vector<std::int64_t> at(corpus.documents.begin(), corpus.documents.end() - 1);
    for (const Instance& instance : instances_of(corpus, {.context = 13}, pass)) {
      Dim& next = at[static_cast<std::size_t>(corpus.document_of(instance.first.begin))];
      REQUIRE(instance.first.begin == next);
      next = instance.first.end;
      if (instance.random_next) continue;
      REQUIRE(instance.second.begin == next);
      next = instance.second.end;
    }
    for (Dim d = 0; d < corpus.size(); ++d) CHECK(at[static_cast<std::size_t>(d)] == corpus.document(d).end);
  }
}

TEST_CASE("pairs fit the context, come in order, and lose tokens only where they were too long") {
  const CorpusOfLengths corpus = random_corpus(40, 1, 80, 40);
  for (const Dim context : {5, 6, 17, 64, 500}) {
    CAPTURE(context);
    const Dim most = context - 3;
    std::vector<std::int64_t> at(corpus.documents.begin(), corpus.documents.end() - 1);
    Dim lost = 0, truncated = 0;
    for (const Instance& instance : instances_of(corpus, {.context = context})) {
      REQUIRE(instance.first.size() >= 1);
      REQUIRE(instance.second.size() >= 1);
      REQUIRE(text_size(instance) <= most);
      const Dim d = corpus.document_of(instance.first.begin);
      REQUIRE(instance.first.end <= corpus.document(d).end);
      const Dim other = corpus.document_of(instance.second.begin);
      REQUIRE(instance.second.end <= corpus.document(other).end);
      REQUIRE((other != d) == instance.random_next);
      Dim& next = at[static_cast<std::size_t>(d)];
      REQUIRE(instance.first.begin >= next);
      lost += instance.first.begin - next;
      next = instance.first.end;
      if (!instance.random_next) {
        REQUIRE(instance.second.begin >= next);
        lost += instance.second.begin - next;
        next = instance.second.end;
      }
      if (text_size(instance) == most) ++truncated;
    }
    for (Dim d = 0; d < corpus.size(); ++d) lost += corpus.document(d).end - at[static_cast<std::size_t>(d)];
    CHECK(lost <= truncated * std::max<Dim>(1, most / 2));  // an instance is at most one piece too long at each end
    if (context == 500) CHECK(lost < corpus.documents.back() / 10);
  }
}

TEST_CASE("about half of the pairs are random, more where documents are short") {
  const auto share = [](Dim sentences) {
    return random_share(instances_of(random_corpus(20'000 / sentences, sentences, 0, 9), {.context = 64}));
  };
  CHECK(share(1) == 1);
  CHECK(share(5) > 0.55);
  CHECK(share(2) > share(5));
  CHECK(share(1000) == doctest::Approx(0.5).epsilon(0.05));
}

TEST_CASE("a random second part is equally often from each other document") {
  const CorpusOfLengths corpus = random_corpus(10, 100, 0, 9);
  std::map<Dim, int> seen;
  int all = 0;
  for (Dim pass = 0; pass < 60; ++pass) {
    for (const Instance& instance : instances_of(corpus, {.context = 32}, pass)) {
      if (!instance.random_next || corpus.document_of(instance.first.begin) != 3) continue;
      ++seen[corpus.document_of(instance.second.begin)];
      ++all;
    }
  }
  CHECK(seen.size() == 9);
  CHECK(seen.count(3) == 0);
  for (const auto& [document, count] : seen) CHECK(std::abs(count - all / 9) < 6 * std::sqrt(all / 9.0));
}

TEST_CASE("with a single document a random second part is from elsewhere in it") {
  const CorpusOfLengths corpus = random_corpus(1, 400, 0, 9);
  int random = 0;
  for (const Instance& instance : instances_of(corpus, {.context = 32})) {
    if (!instance.random_next) continue;
    ++random;
    CHECK((instance.second.end <= instance.first.begin || instance.second.begin >= instance.first.end));
    CHECK(instance.second.begin != instance.first.end);
  }
  CHECK(random > 20);
}

TEST_CASE("the longer part is truncated, at the front and at the end") {
  CorpusOfLengths corpus;
  for (int i = 0; i < 300; ++i) corpus.add({14, 14, 14});
  int cut = 0, front = 0, behind = 0;
  for (const Instance& instance : instances_of(corpus, {.context = 33, .short_probability = 0})) {
    const auto [shorter, longer] =
        std::minmax(instance.first, instance.second, [](TokenRange a, TokenRange b) { return a.size() < b.size(); });
    REQUIRE(shorter.size() == 14);  // whole
    REQUIRE(shorter.begin % 14 == 0);
    if (longer.size() == 14) continue;
    REQUIRE(longer.size() == 16);  // of two sentences, where 30 tokens fit
    ++cut;
    front += longer.begin % 14 != 0 ? 1 : 0;
    behind += longer.end % 14 != 0 ? 1 : 0;
  }
  CHECK(cut > 300);
  CHECK(front > cut * 0.99);  // twelve times one of two
  CHECK(behind > cut * 0.99);
}

TEST_CASE("short instances are as frequent as asked, and of any length") {
  const CorpusOfLengths corpus = random_corpus(20, 4000, 0, 1);
  const auto lengths = [&](double probability) {
    std::map<Dim, int> count;
    for (const Instance& i : instances_of(corpus, {.context = 23, .short_probability = probability})) {
      if (!i.random_next) ++count[text_size(i)];
    }
    return count;
  };
  const auto never = lengths(0), always = lengths(1), sometimes = lengths(0.1);
  CHECK(never.rbegin()->first == 20);
  CHECK(never.rbegin()->second > 1500);
  CHECK(never.size() < 15);  // except at the ends of documents
  CHECK(always.begin()->first == 2);
  CHECK(always.size() == 19);
  int all = 0;
  for (const auto& [length, count] : sometimes) all += count;
  const double full = static_cast<double>(sometimes.at(20)) / all;
  CHECK(full > 0.86);
  CHECK(full < 0.94);
}

TEST_CASE("a long sentence is split into equal pieces, and is continued by its own next ones") {
  CorpusOfLengths corpus;
  corpus.add({1000});
  corpus.add({1000});
  const std::vector<Instance> instances = instances_of(corpus, {.context = 35, .short_probability = 0});
  CHECK(random_share(instances) == doctest::Approx(0.5).epsilon(0.25));
  std::set<Dim> random_begins;
  for (const Instance& instance : instances) {
    CHECK(text_size(instance) >= 30);
    if (instance.random_next) random_begins.insert(instance.second.begin);
  }
  CHECK(random_begins.size() > 10);  // not always the start of a sentence
}

TEST_CASE("instances depend on seed, pass and stream alone") {
  const CorpusOfLengths corpus = random_corpus(20, 5, 50, 20);
  const InstanceOptions options;
  InstanceOptions other = options;
  other.seed = 1;
  CHECK(flat(instances_of(corpus, options, 3)) == flat(instances_of(corpus, options, 3)));
  CHECK(flat(instances_of(corpus, options, 3)) != flat(instances_of(corpus, options, 4)));
  CHECK(flat(instances_of(corpus, options, 3)) != flat(instances_of(corpus, other, 3)));
  CHECK(flat(instances_of(corpus, options, 3)) != flat(instances_of(corpus, options, 3, 1)));
}

TEST_CASE("without pairs, as many consecutive sentences as fit form a sequence, document by document") {
  const CorpusOfLengths corpus = random_corpus(30, 1, 60, 30);
  for (const Dim pass : {0, 1}) {
    for (const Dim context : {5, 20, 100}) {
      CAPTURE(context);
      InstanceOptions options = default_instance_options(InstanceTask::kMlm);
      options.context = context;
      options.passes = 2;
      Dim at = 0;
      for (const Instance& instance : instances_of(corpus, options, pass)) {
        REQUIRE(instance.first.begin == at);
        at = instance.first.end;
        REQUIRE(instance.second.size() == 0);
        REQUIRE_FALSE(instance.random_next);
        REQUIRE(instance.first.size() <= context - 2);
        const TokenRange document = corpus.document(corpus.document_of(instance.first.begin));
        REQUIRE(at <= document.end);
        if (pass > 0 || at == document.end) continue;
        // Another sentence would not have fitted: none is longer than 30, and pieces of a split one are at most half as
        // long.
        REQUIRE(instance.first.size() > context - 2 - std::min<Dim>(30, context - 2));
      }
      CHECK(at == corpus.documents.back());
    }
  }
  CorpusOfLengths tiny;
  tiny.add({4, 3, 2, 9, 1});
  tiny.add({5});
  InstanceOptions options = default_instance_options(InstanceTask::kMlm);
  options.context = 10;
  // Eight tokens fit: 4 + 3, then 2 beside the first half of 9 (5 and 4), then its second half with 1; 5 alone.
  CHECK(
      flat(instances_of(tiny, options)) ==
      std::vector<Flat>{{0, 7, 7, 7, false}, {7, 13, 13, 13, false}, {13, 19, 19, 19, false}, {19, 24, 24, 24, false}});
  std::set<Dim> phases;
  for (Dim pass = 1; pass < 60; ++pass) phases.insert(instances_of(tiny, options, pass).front().first.end);
  CHECK(phases == std::set<Dim>{4, 7});
}

TEST_CASE("impossible settings are named") {
  const auto message = [](InstanceOptions options) {
    try {
      require_instance_options(options);
    } catch (const UsageError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  CHECK(message({}) == "no error");
  CHECK(message({.context = 4}) == "instances: the context must be from 5 to 65536 tokens, got 4");
  CHECK(message({.passes = 0}) == "instances: the passes over the text must be from 1 to 10000, got 0");
  CHECK(message({.short_probability = 1.5}) ==
        "instances: the probability of short instances must be from 0 to 1, got 1.5");
  CHECK(message({.document_lines = 0}) == "instances: the lines of a document must be at least 1, got 0");
  CHECK_THROWS_WITH_AS(instance_task_named("nsp"), "instances: the task must be one of mlm, mlm-nsp, got \"nsp\"",
                       UsageError);
  CHECK(instance_task_named(name_of(InstanceTask::kMlm)) == InstanceTask::kMlm);
  CHECK(instance_task_named(name_of(InstanceTask::kMlmNsp)) == InstanceTask::kMlmNsp);
}
