using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace ZeroStor.Catalog;

/// <summary>SQLite in one file: a write-ahead log, so that readers and the one writer do not wait for each
/// other, synced at every commit. What a process left in the log that died, or whose sync failed, is whole
/// but perhaps not durable: a connection that is to write makes it so before it is used
/// (<see cref="SettleAsync"/>), for who says a change again is told that it is made.</summary>
internal sealed class SqliteDatabase : Database
{
    // The result codes that decide something; https://sqlite.org/rescode.html has them all.
    private const int Busy = 5;
    private const int Locked = 6;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int NotADatabase = 26;

    // SQLite keeps 2 MB of pages by default; the upper levels of the trees of some ten million objects fit
    // this.
    private const int CacheKibibytes = 16 * 1024;

    // After a burst the log is cut to this again; it never shrinks otherwise.
    private const int LogBytes = 64 * 1024 * 1024;

    // Another one settles the log of a process that died within milliseconds.
    private static readonly TimeSpan SettlePause = TimeSpan.FromMilliseconds(10);

    private static readonly Lock Making = new();

    private readonly CatalogOptions _options;
    private readonly string _ownConnections;

    public SqliteDatabase(string path, CatalogOptions options)
    {
        _options = options;
        Name = Path.GetFullPath(path);
        var orleans = new SqliteConnectionStringBuilder
        {
            DataSource = Name,
            Mode = SqliteOpenMode.ReadWrite,
            DefaultTimeout = Seconds(options.Patience),
        };
        ConnectionString = orleans.ConnectionString;

        // Ours live as long as the catalog, so a pool would only keep closed ones open. SQLite itself waits
        // for locks (below), in steps of milliseconds; the provider's own retry comes after that, in steps of
        // 150.
        _ownConnections = new SqliteConnectionStringBuilder(ConnectionString)
        {
            Pooling = false,
            DefaultTimeout = Seconds(options.LockPatience),
        }.ConnectionString;
    }

    public override string Name { get; }

    public override string ConnectionString { get; }

    /// <summary>Orleans knows SQLite by the name of another driver and loads Microsoft.Data.Sqlite.</summary>
    public override string Invariant => "System.Data.SQLite";

    public override bool IsShared => false;

    public override SqlText Sql { get; } = SqlText.Load("sqlite");

    public override async Task<DbConnection> ConnectAsync(bool forWriting, CancellationToken cancel)
    {
        var connection = new SqliteConnection(_ownConnections);

        // Who was the last to close it, and could, has emptied and deleted it.
        bool isLogLeft = File.Exists(Name + "-wal");
        try
        {
            await connection.OpenAsync(cancel);
            await SetAsync(connection, "busy_timeout", (int)_options.LockPatience.TotalMilliseconds);
            if (forWriting)
            {
                await SetAsync(connection, "journal_mode", "WAL");
                await SetAsync(connection, "synchronous", "FULL");
                await SetAsync(connection, "journal_size_limit", LogBytes);
                if (isLogLeft)
                {
                    await SettleAsync(connection, cancel);
                }
            }
            else
            {
                await SetAsync(connection, "query_only", "ON");
            }

            await SetAsync(connection, "cache_size", -CacheKibibytes);
            if (_options.MaxPages is int pages)
            {
                await SetAsync(connection, "max_page_count", pages);
            }

            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public override ZeroStorException Explain(DbException error)
    {
        int code = (error as SqliteException)?.SqliteErrorCode ?? 0;
        (ErrorKind kind, string what) = code switch
        {
            Busy or Locked => (ErrorKind.Unavailable,
                $"is locked by another transaction for more than {_options.LockPatience.TotalSeconds} s: "
                + "see who else has it open, and try again"),
            Full => (ErrorKind.DiskFull, "has no space left: make room on its disk, and try again"),
            Corrupt => (ErrorKind.Corrupt, "is damaged: restore a backup, or rebuild it from the disks"),
            NotADatabase => (ErrorKind.Corrupt,
                "is not a SQLite database: give the path of a catalog, or of none"),
            _ => (ErrorKind.Unavailable,
                $"failed ({error.Message.TrimEnd('.')}): look at its disk, and try again"),
        };
        return new ZeroStorException(kind, $"The catalog {Name} {what}.", error);
    }

    /// <summary>Makes the file unless it is there. SQLite would make it readable by all; its log and its
    /// shared memory take their mode from it.</summary>
    /// <remarks>Closing any handle of a file drops every lock that the process holds on it, SQLite's
    /// included: so a file that is there is never opened here, and the lock below keeps a second opening in
    /// this process from its first connection until this handle is closed.</remarks>
    public void MakeFile()
    {
        lock (Making)
        {
            if (File.Exists(Name))
            {
                return;
            }

            var own = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                own.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            try
            {
                new FileStream(Name, own).Dispose();
            }
            catch (IOException) when (File.Exists(Name))
            {
                // Another process was faster.
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new ZeroStorException(
                    ErrorKind.Unavailable,
                    $"The catalog {Name} cannot be made ({error.Message.TrimEnd('.')}): "
                    + "make its folder, and let this user write there.",
                    error);
            }
        }
    }

    // All of the log goes into the database and is synced there, and the log is emptied. A page whose sync failed
    // once counts as written ever after, on Linux: to sync the log again would not help. That the log is empty
    // must be durable as well, or after a power cut its torn rest would hide what is in the database; the next
    // commit syncs that, so one is made that changes nothing.
    private async Task SettleAsync(SqliteConnection connection, CancellationToken cancel)
    {
        // SQLite waits for readers and writers, and not for who settles the same log at this moment.
        long began = Stopwatch.GetTimestamp();
        while (await AskAsync(connection, "PRAGMA wal_checkpoint(TRUNCATE);") != 0)
        {
            if (Stopwatch.GetElapsedTime(began) >= _options.LockPatience)
            {
                throw new ZeroStorException(
                    ErrorKind.Unavailable,
                    $"The catalog {Name} is being read by others for more than {_options.LockPatience.TotalSeconds} s, "
                    + "and its log cannot be settled meanwhile: see who else has it open, and try again.");
            }

            await Task.Delay(SettlePause, cancel);
        }

        await SetAsync(connection, "user_version", await AskAsync(connection, "PRAGMA user_version;"));
    }

    private static async Task<long> AskAsync(SqliteConnection connection, string pragma)
    {
        await using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // A constant of this file: a PRAGMA takes no parameters.
        command.CommandText = pragma;
#pragma warning restore CA2100
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private static int Seconds(TimeSpan time) => Math.Max(1, (int)time.TotalSeconds);

    private static async Task SetAsync(SqliteConnection connection, string pragma, object value)
    {
        await using SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // Names and numbers of this file: a PRAGMA takes no parameters.
        command.CommandText = string.Create(CultureInfo.InvariantCulture, $"PRAGMA {pragma} = {value};");
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
