// Losses that draw embeddings of one person together and those of different people apart.
#pragma once

#include "pose/losses/loss.h"

namespace limber {

// AssociativeEmbeddingLoss. output: tags (B, L K, H, W), key points varying fastest; targets: the
// images' keypoint_indices i64 (N, K, 2), or all in one (B, N, K, 2): y W + x, and whether the key
// point counts. Two values: pull, the people's mean squared distance of tags from their mean tag,
// and push, push_loss_factor times the mean of exp(-d^2) over pairs of people; sums over images.
// Newell, Huang and Deng 2017, arXiv 1611.05424.
std::unique_ptr<Loss> make_associative_embedding(const Config& config, const Scope& scope);

// InfoNCELoss. output: (N, C). Cross entropy, summed, of the cosine similarities over `temperature`
// against being oneself. Oord et al. 2018, arXiv 1807.03748.
std::unique_ptr<Loss> make_info_nce(const Config& config, const Scope& scope);

}  // namespace limber
