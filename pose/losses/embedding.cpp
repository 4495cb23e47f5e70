#include "pose/losses/embedding.h"

#include "tensor/ops.h"

namespace limber {
namespace {

// One image's people with a key point that counts.
struct Members {
  std::vector<int64_t> pixels;  // positions of their key points' tags, (V, L)
  std::vector<int64_t> owners;  // (V): who has it
  std::vector<int64_t> counts;  // (M): how many of them one has
};

// indices: (N, K, 2). Positions are counted in all tags (B, L K, H, W), `image` being b.
Members members_of(const Tensor& targets, const Shape& tags, int64_t image) {
  const Tensor indices = targets.to(Device{});
  check(indices.dtype() == DType::i64 && indices.rank() == 3 && indices.size(2) == 2,
        "AssociativeEmbeddingLoss: keypoint_indices ", indices.shape(), " of type ",
        indices.dtype(), ", i64 (N, K, 2) is wanted");
  const int64_t K = indices.size(1), area = tags[2] * tags[3];
  check(K > 0 && tags[1] % K == 0, "AssociativeEmbeddingLoss: ", tags[1], " channels of tags for ",
        K, " key points");
  Members m;
  const int64_t* entry = indices.data<int64_t>();
  for (int64_t n = 0; n < indices.size(0); ++n) {
    int64_t found = 0;
    for (int64_t k = 0; k < K; ++k, entry += 2) {
      if (entry[1] == 0) continue;
      check(entry[0] >= 0 && entry[0] < area, "AssociativeEmbeddingLoss: key point at pixel ",
            entry[0], " of maps ", tags);
      for (int64_t l = 0; l < tags[1] / K; ++l)
        m.pixels.push_back((image * tags[1] + l * K + k) * area + entry[0]);
      m.owners.push_back(int64_t(m.counts.size()));
      ++found;
    }
    if (found > 0) m.counts.push_back(found);
  }
  return m;
}

struct AssociativeEmbeddingLoss : Loss {
  double loss_weight, push_factor;

  explicit AssociativeEmbeddingLoss(const Config& c)
      : loss_weight(c.get("loss_weight", 1.0)), push_factor(c.get("push_loss_factor", 0.5)) {}

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor& tags = in.outputs.at(0);
    std::vector<Tensor> indices = in.targets;
    if (indices.size() == 1 && indices[0].rank() == 4) {
      indices.clear();
      for (int64_t b = 0; b < in.targets[0].size(0); ++b)
        indices.push_back(
            reshape(slice(in.targets[0], 0, b, b + 1), in.targets[0].shape().without(0)));
    }
    check(tags.rank() == 4 && tags.size(0) == int64_t(indices.size()),
          "AssociativeEmbeddingLoss: tags ", tags.shape(), " for ", indices.size(), " images");
    const Tensor flat = reshape(tags, {-1});
    Tensor pull = Tensor::zeros({}, tags.dtype()), push = pull;
    for (size_t b = 0; b < indices.size(); ++b) {
      const Members m = members_of(indices[b], tags.shape(), int64_t(b));
      if (!m.counts.empty()) add_image(m, flat, pull, push);
    }
    return {pull * loss_weight, push * (loss_weight * push_factor)};
  }

  static void add_image(const Members& m, const Tensor& tags, Tensor& pull, Tensor& push) {
    const int64_t V = int64_t(m.owners.size()), M = int64_t(m.counts.size());
    const int64_t L = int64_t(m.pixels.size()) / V;
    std::vector<float> average(size_t(M * V)), share(static_cast<size_t>(V));
    for (int64_t v = 0; v < V; ++v) {
      const int64_t owner = m.owners[size_t(v)];
      const float part = 1 / float(m.counts[size_t(owner)]);
      average[size_t(owner * V + v)] = part;
      share[size_t(v)] = part / float(M * L);
    }
    const auto own = [&](const std::vector<int64_t>& list) {
      return Tensor::from(list, {int64_t(list.size())});
    };
    const Tensor tag = reshape(index_select(tags, 0, own(m.pixels)), {V, L});
    const Tensor centre = matmul(Tensor::from(average, {M, V}).to(tags.dtype()), tag);  // (M, L)
    const Tensor away = square(tag - index_select(centre, 0, own(m.owners)));
    pull = pull + sum(away * Tensor::from(share, {V, 1}).to(tags.dtype()));
    if (M == 1) return;
    const Tensor apart = reshape(centre, {M, 1, L}) - reshape(centre, {1, M, L});
    push = push + sum(exp(-square(apart))) / double(M * (M - 1));
  }
};

struct InfoNCELoss : Loss {
  double loss_weight, temperature;

  explicit InfoNCELoss(const Config& c)
      : loss_weight(c.get("loss_weight", 1.0)), temperature(c.get("temperature", 1.0)) {
    check_input(temperature > 0, c.path(), ".temperature: must be positive, not ", temperature);
  }

  std::vector<Tensor> operator()(const LossInput& in) const override {
    const Tensor& features = in.outputs.at(0);
    check(features.rank() == 2, "InfoNCELoss: features ", features.shape(), ", (N, C) is wanted");
    const int64_t N = features.size(0);
    if (N == 0) return {sum(features)};
    // A vector of zeros is left as it is.
    const Tensor length = clamp(norm(features, 1, /*keep_dims=*/true), 1e-12, 1e300);
    const Tensor unit = features / length;
    const Tensor logits = matmul(unit, unit, false, /*trans_b=*/true) * (1 / temperature);
    std::vector<int64_t> self(static_cast<size_t>(N));
    std::vector<float> others(size_t(N * N), 1);
    for (int64_t i = 0; i < N; ++i) {
      self[size_t(i)] = i;
      others[size_t(i * N + i)] = 0;
    }
    // log(1 + sum over the others): exact, too, where the others count next to nothing.
    const Tensor own = gather(logits, 1, Tensor::from(self, {N, 1}));
    const Tensor away = exp(logits - own) * Tensor::from(others, {N, N}).to(logits.dtype());
    return {sum(log1p(sum(away, {1}))) * loss_weight};
  }
};

}  // namespace

std::unique_ptr<Loss> make_associative_embedding(const Config& config, const Scope&) {
  return std::make_unique<AssociativeEmbeddingLoss>(config);
}

std::unique_ptr<Loss> make_info_nce(const Config& config, const Scope&) {
  return std::make_unique<InfoNCELoss>(config);
}

}  // namespace limber
