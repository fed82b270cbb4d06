/**
 * C++ that is compiled into the addon besides tfjs-node's two files. It changes two things of the library.
 *
 * 1. What it logs. libtensorflow writes notices on stderr while it loads, before it reads any log level. All of its messages
 *    go through one function of Abseil, `WriteToStderr`. The addon defines that function too, and the loader looks for
 *    functions in the addon first. Errors are written, and whatever else TF_CPP_MIN_LOG_LEVEL asks for.
 * 2. The threads of a session. The C API reads them from the environment, once a process. `loadSavedModel` takes them
 *    from the file `session_config.pb` (a ConfigProto) in the model's directory where there is one.
 */
export const addonSource = String.raw`
#undef TF_LoadSessionFromSavedModel
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <unistd.h>
#include "tensorflow/c/c_api.h"

namespace absl {
inline namespace lts_20250814 {
enum class LogSeverity : int { kInfo = 0, kWarning = 1, kError = 2, kFatal = 3 };
namespace log_internal {

__attribute__((visibility("default"))) void WriteToStderr(std::string_view message, LogSeverity severity) {
  const char* asked = std::getenv("TF_CPP_MIN_LOG_LEVEL");
  const int least = asked == nullptr ? 2 : std::atoi(asked);
  if (static_cast<int>(severity) < least) return;
  // Marked as an error, but it only says that TensorFlow runs its own kernel instead of oneDNN's.
  const bool fallback = message.find("oneDNN supports DT_") != message.npos &&
                        message.find("Falling back to the default") != message.npos;
  if (fallback && least >= 2) return;
  while (!message.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, message.data(), message.size());
    if (written <= 0) return;
    message.remove_prefix(written);
  }
}

}  // namespace log_internal
}  // namespace lts_20250814
}  // namespace absl

// Without it all sessions and all operations outside of sessions share one pool of threads.
__attribute__((constructor)) static void OnePoolPerSession() {
  setenv("TF_OVERRIDE_GLOBAL_THREADPOOL", "1", 0);
}

// The two files of tfjs-node are compiled to call this instead of the function of the C API.
extern "C" TF_Session* rnn_parity_load_session(const TF_SessionOptions* options, const TF_Buffer* run_options,
                                               const char* directory, const char* const* tags, int tags_len,
                                               TF_Graph* graph, TF_Buffer* meta_graph, TF_Status* status) {
  std::ifstream file(std::string(directory) + "/session_config.pb", std::ios::binary);
  if (file) {
    const std::string config((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    TF_SetConfig(const_cast<TF_SessionOptions*>(options), config.data(), config.size(), status);
    if (TF_GetCode(status) != TF_OK) return nullptr;
  }
  return TF_LoadSessionFromSavedModel(options, run_options, directory, tags, tags_len, graph, meta_graph, status);
}
`;

/** The function that tfjs-node's files call, and the one that they are compiled to call. */
export const addonDefine = '-DTF_LoadSessionFromSavedModel=rnn_parity_load_session';
