// The C++ header, in a program of an older standard than the library's.
#include <limber.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    limber_infer::Session session(argv[1], 1);
    const std::vector<uint8_t> grey(3 * 40 * 60, 128);
    const auto found = session.run({grey.data(), 40, 60, 3 * 40}, {{0, 0, 40, 60}, {5, 5, 20, 30}});
    std::printf("%zu boxes, %zu key points each, the first: %s\n", found.size(), found[0].size(),
                session.keypoint_name(0).c_str());
    return found.size() == 2 && int(found[1].size()) == session.keypoint_count() ? 0 : 1;
  } catch (const std::exception& error) {
    std::puts(error.what());
    return 1;
  }
}
