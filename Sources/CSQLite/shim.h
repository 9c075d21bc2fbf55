#pragma once

// The session extension, which Debian's library has (PRAGMA compile_options).
#define SQLITE_ENABLE_SESSION 1
#define SQLITE_ENABLE_PREUPDATE_HOOK 1
#include <sqlite3.h>

// Swift cannot call sqlite3_config() and sqlite3_db_config(), which take a variable number of arguments.

// Switches on SQLITE_DBCONFIG_DEFENSIVE: no statement may write to the file other than through its tables. Switches off
// text in double quotes, so that a misspelled column is an error.
static inline int keyvigil_sqlite_set_defensive(sqlite3 *db, int is_on) {
    return sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, is_on, (int *)0);
}

static inline int keyvigil_sqlite_harden(sqlite3 *db) {
    int code = keyvigil_sqlite_set_defensive(db, 1);
    if (code == SQLITE_OK) code = sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)0);
    if (code == SQLITE_OK) code = sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)0);
    return code;
}

// Switches off the count of allocated memory. Has no effect once a connection was opened.
static inline void keyvigil_sqlite_omit_memory_statistics(void) { (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

// Result codes that are computed, which Swift does not import.
static const int keyvigil_sqlite_ioerr_shmsize = SQLITE_IOERR_SHMSIZE;
static const int keyvigil_sqlite_readonly_dbmoved = SQLITE_READONLY_DBMOVED;
