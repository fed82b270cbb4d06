/**
 * C++ that is compiled into the addon besides tfjs-node's two files. It changes three things of the library.
 *
 * 1. What it logs. libtensorflow writes notices on stderr while it loads, before it reads any log level. All of its messages
 *    go through one function of Abseil, `WriteToStderr`. The addon defines that function too, and the loader looks for
 *    functions in the addon first. Errors are written, and whatever else TF_CPP_MIN_LOG_LEVEL asks for.
 * 2. The threads of a session. The C API reads them from the environment, once a process. `loadSavedModel` takes them
 *    from the file `session_config.pb` (a ConfigProto) in the model's directory where there is one.
 * 3. Signals. On a processor with AVX-512, a signal handler that runs on a thread while it computes overwrites memory: every run of a
 *    program with a handler for SIGUSR2 crashed, and every run under `node --cpu-prof`, which sends SIGPROF. The kernel writes the
 *    handler's frame below the stack pointer, which oneDNN's kernels seem to use as one more register. So the thread that computes blocks
 *    signals, and so do the threads that TensorFlow starts. Another thread of the process takes a signal, or it waits for the end of the
 *    call.
 */
export const addonSource = String.raw`
#undef TF_LoadSessionFromSavedModel
#undef TF_SessionRun
#undef TFE_Execute
#undef TFE_NewContext
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <unistd.h>
#include "tensorflow/c/c_api.h"
#include "tensorflow/c/eager/c_api.h"

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

namespace {

// The calling thread takes no signals while it lives, but for those of a fault of its own.
class WithoutSignals {
 public:
  WithoutSignals() {
    sigset_t signals;
    sigfillset(&signals);
    for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) sigdelset(&signals, fault);
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
  }
  ~WithoutSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace

// The two files of tfjs-node are compiled to call these instead of the functions of the C API.
extern "C" void rnn_parity_session_run(TF_Session* session, const TF_Buffer* run_options, const TF_Output* inputs,
                                       TF_Tensor* const* input_values, int ninputs, const TF_Output* outputs,
                                       TF_Tensor** output_values, int noutputs,
                                       const TF_Operation* const* targets, int ntargets, TF_Buffer* metadata,
                                       TF_Status* status) {
  const WithoutSignals here;
  TF_SessionRun(session, run_options, inputs, input_values, ninputs, outputs, output_values, noutputs, targets,
                ntargets, metadata, status);
}

extern "C" void rnn_parity_execute(TFE_Op* op, TFE_TensorHandle** results, int* count, TF_Status* status) {
  const WithoutSignals here;
  TFE_Execute(op, results, count, status);
}

// The threads that a context and a session start take no signals either: a thread begins with what its parent takes.
extern "C" TFE_Context* rnn_parity_new_context(const TFE_ContextOptions* options, TF_Status* status) {
  const WithoutSignals here;
  return TFE_NewContext(options, status);
}

extern "C" TF_Session* rnn_parity_load_session(const TF_SessionOptions* options, const TF_Buffer* run_options,
                                               const char* directory, const char* const* tags, int tags_len,
                                               TF_Graph* graph, TF_Buffer* meta_graph, TF_Status* status) {
  const WithoutSignals here;
  std::ifstream file(std::string(directory) + "/session_config.pb", std::ios::binary);
  if (file) {
    const std::string config((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    TF_SetConfig(const_cast<TF_SessionOptions*>(options), config.data(), config.size(), status);
    if (TF_GetCode(status) != TF_OK) return nullptr;
  }
  return TF_LoadSessionFromSavedModel(options, run_options, directory, tags, tags_len, graph, meta_graph, status);
}
`;

/** The functions that tfjs-node's files call, and those that they are compiled to call. */
export const addonDefines = [
  '-DTF_LoadSessionFromSavedModel=rnn_parity_load_session',
  '-DTF_SessionRun=rnn_parity_session_run',
  '-DTFE_Execute=rnn_parity_execute',
  '-DTFE_NewContext=rnn_parity_new_context',
];
