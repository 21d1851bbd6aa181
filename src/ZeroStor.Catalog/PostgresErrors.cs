using System.Data.Common;
using System.Net.Sockets;
using Npgsql;

namespace ZeroStor.Catalog;

/// <summary>What PostgreSQL's errors mean. https://www.postgresql.org/docs/current/errcodes-appendix.html has
/// all codes. No message cites a connection string, so none holds a password.</summary>
internal static class PostgresErrors
{
    public static ZeroStorException Explain(string name, DbException error)
    {
        (ErrorKind kind, string what) = error is PostgresException told
            ? OfServer(told)
            : (ErrorKind.Unavailable, OfConnection(error));
        return new ZeroStorException(kind, $"The catalog {name} {what}.", error);
    }

    /// <summary>See <see cref="Database.MayPass"/>.</summary>
    public static bool MayPass(DbException error) => error switch
    {
        PostgresException told => told.SqlState is
            PostgresErrorCodes.SerializationFailure
            or PostgresErrorCodes.DeadlockDetected
            or PostgresErrorCodes.AdminShutdown
            or PostgresErrorCodes.CrashShutdown
            or "25P03" // idle_in_transaction_session_timeout
            or "57P05", // idle_session_timeout
        _ => error.InnerException is IOException or SocketException,
    };

    private static (ErrorKind Kind, string What) OfServer(PostgresException told) => told.SqlState switch
    {
        PostgresErrorCodes.DiskFull =>
            (ErrorKind.DiskFull, "has no space left: make room on the server's disk, and try again"),
        PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted or PostgresErrorCodes.IoError
            or PostgresErrorCodes.UndefinedFile =>
            (ErrorKind.Corrupt, $"is damaged ({Said(told)}): look at the server's disk and its log, and "
                + "restore a backup, or rebuild it from the disks"),
        PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
            (ErrorKind.InvalidArgument, $"does not let this user in ({Said(told)}): see the user, the "
                + "password and the server's pg_hba.conf"),
        PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InvalidSchemaName =>
            (ErrorKind.InvalidArgument, $"is not there ({Said(told)}): make it, or name another"),
        PostgresErrorCodes.InsufficientPrivilege =>
            (ErrorKind.InvalidArgument, $"does not let this user do what a catalog does ({Said(told)}): make "
                + "the user the owner of the database"),
        PostgresErrorCodes.ReadOnlySqlTransaction =>
            (ErrorKind.Unavailable, "takes no writes (a standby, or default_transaction_read_only is on): "
                + "name the primary, or let it be written, and try again"),
        PostgresErrorCodes.TooManyConnections or PostgresErrorCodes.OutOfMemory
            or PostgresErrorCodes.ConfigurationLimitExceeded or PostgresErrorCodes.InsufficientResources =>
            (ErrorKind.Unavailable, $"has no room for this ({Said(told)}): raise the server's limits, "
                + "max_connections first, or try again later"),
        PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected
            or PostgresErrorCodes.SerializationFailure =>
            (ErrorKind.Unavailable, $"is held by other transactions ({Said(told)}): try again"),
        PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
            or PostgresErrorCodes.CannotConnectNow =>
            (ErrorKind.Unavailable, $"is stopping or starting ({Said(told)}): try again"),
        _ => (ErrorKind.Unavailable, $"failed ({Said(told)}, {told.SqlState}): look at the server's log, and "
            + "try again"),
    };

    private static string Said(PostgresException told) => told.MessageText.TrimEnd('.');

    private static string OfConnection(DbException error) => error.InnerException switch
    {
        TimeoutException =>
            "has not answered in time: see that the server runs and can be reached, and try again",
        SocketException refused =>
            $"cannot be reached ({refused.Message.TrimEnd('.')}): see that the server runs, and try again",
        IOException => "broke the connection: see that the server runs, and try again",
        _ => $"cannot be used ({error.Message.TrimEnd('.')}): see the connection string, and try again",
    };
}
