#pragma once
#include <postgresql/libpq-fe.h>

// libpq, loaded when a database is configured: linked, it and OpenSSL would cost every process of the program memory and time.

// The functions of libpq that are used: each field is PQ and its name. The compiler checks their types against libpq's.
#define KEYVIGIL_PQ_FUNCTIONS(F) \
    F(connectStartParams) \
    F(connectPoll) \
    F(finish) \
    F(status) \
    F(socket) \
    F(errorMessage) \
    F(serverVersion) \
    F(backendPID) \
    F(setNoticeReceiver) \
    F(setnonblocking) \
    F(enterPipelineMode) \
    F(sendPrepare) \
    F(sendQueryPrepared) \
    F(sendQueryParams) \
    F(pipelineSync) \
    F(flush) \
    F(consumeInput) \
    F(isBusy) \
    F(getResult) \
    F(notifies) \
    F(freemem) \
    F(resultStatus) \
    F(resultErrorField) \
    F(ntuples) \
    F(nfields) \
    F(fname) \
    F(ftype) \
    F(getisnull) \
    F(getlength) \
    F(getvalue) \
    F(cmdTuples) \
    F(clear) \
    F(conninfoParse) \
    F(conninfoFree)

#define KEYVIGIL_PQ_FIELD(name) __typeof__(&PQ##name) _Nonnull name;
struct keyvigil_pq {
    KEYVIGIL_PQ_FUNCTIONS(KEYVIGIL_PQ_FIELD)
};

/// Loads the library once. Returns NULL, in this call and all later ones, if it is not installed or lacks a function.
const struct keyvigil_pq *_Nullable keyvigil_pq_load(void);

// The codes of the fields of an error, which are macros of characters.
static const int keyvigil_pq_severity = PG_DIAG_SEVERITY_NONLOCALIZED;
static const int keyvigil_pq_state = PG_DIAG_SQLSTATE;
static const int keyvigil_pq_message = PG_DIAG_MESSAGE_PRIMARY;
static const int keyvigil_pq_constraint = PG_DIAG_CONSTRAINT_NAME;
