using System.Data.Common;
using System.Globalization;
using Npgsql;

namespace ZeroStor.Catalog;

/// <summary>PostgreSQL, which many silos share. Transactions that write run at READ COMMITTED and lock, by
/// name, the keys and contents that they decide on before they read them: <c>sql/postgres/statements.sql</c>
/// says how.
/// <para>Why not SERIALIZABLE: ids of contents begin with the tick, so all silos look for theirs, and insert
/// them, at the same end of one index; its locks are of whole index pages there, and of any two batches at
/// once one would fail, whatever they are about. Why not REPEATABLE READ: it sees that two write one row, not
/// that two make the first version of a key, nor that one removes the vault that another puts into.</para>
/// <para>What is acknowledged is on disk, and on the synchronous standbys if there are any: our sessions say
/// synchronous_commit = on whatever the server's default is, a server with fsync = off is refused, and a
/// commit that the server warns of is not acknowledged.</para>
/// Thread-safe.</summary>
internal sealed class PostgresDatabase : Database
{
    /// <summary>The oldest version that is still mended by its makers.</summary>
    private const int MinServerVersion = 14;

    /// <summary>Orleans' own connections of one silo: a few vaults' states, membership, reminders. Npgsql
    /// would take a hundred, which is all that a server gives by default.</summary>
    private const int MaxOrleansConnections = 16;

    private readonly string _ownConnections;

    /// <exception cref="ZeroStorException">InvalidArgument: no connection string.</exception>
    public PostgresDatabase(string connectionString, CatalogOptions options)
    {
        NpgsqlConnectionStringBuilder said = Parse(connectionString);
        Name = NameOf(said);
        said.ApplicationName ??= "zerostor";
        said.Options = OptionsOf(said, options);
        said.PersistSecurityInfo = false;
        said.IncludeErrorDetail = false;

        // A cancelled COMMIT that waits for a standby is answered as done: who waits no longer must hang up.
        said.CancellationTimeout = -1;
        if (said.Host!.Contains(',', StringComparison.Ordinal))
        {
            said.TargetSessionAttributes ??= "primary";
        }

        var orleans = new NpgsqlConnectionStringBuilder(said.ConnectionString);
        orleans.MaxPoolSize = Math.Min(orleans.MaxPoolSize, MaxOrleansConnections);
        ConnectionString = orleans.ConnectionString;

        // Ours live as long as the catalog, so a pool would only hand out broken ones.
        said.Pooling = false;
        said.Enlist = false;
        said.Timeout = Seconds(options.LockPatience);
        said.CommandTimeout = Seconds(options.Patience);
        _ownConnections = said.ConnectionString;
    }

    public override string Name { get; }

    public override string ConnectionString { get; }

    public override string Invariant => "Npgsql";

    public override bool IsShared => true;

    public override SqlText Sql { get; } = SqlText.Load("postgres");

    public override async Task<DbConnection> ConnectAsync(bool forWriting, CancellationToken cancel)
    {
        var connection = new NpgsqlConnection(_ownConnections);
        try
        {
            await connection.OpenAsync(cancel);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    public override ZeroStorException Explain(DbException error) => PostgresErrors.Explain(Name, error);

    public override bool MayPass(DbException error) => PostgresErrors.MayPass(error);

    public override void Declare(DbParameter parameter, string type) =>
        ((NpgsqlParameter)parameter).DataTypeName = type;

    public override void Listen(DbConnection connection, Action<string> warned) =>
        ((NpgsqlConnection)connection).Notice += (_, told) =>
        {
            if (told.Notice.InvariantSeverity == "WARNING")
            {
                warned(told.Notice.MessageText);
            }
        };

    public override async Task<string?> ReadIdAsync(Session session)
    {
        // To call what is not granted would end the transaction.
        bool isShown = false;
        await session.QueryAsync("identity-is-shown", row => isShown = row.GetBoolean(0));
        string? id = null;
        if (isShown)
        {
            await session.QueryAsync("identity", row =>
            {
                id = $"{row.GetString(0)}/{row.GetString(1)}";
                return false;
            });
        }

        return id;
    }

    protected override Task CheckAsync(Session session) => session.QueryAsync("server", row =>
    {
        long version = row.GetInt64(0) / 10_000;
        string encoding = row.GetString(1);
        if (version < MinServerVersion)
        {
            throw ZeroStorException.Invalid(
                $"The database {Name} is PostgreSQL {version}: take {MinServerVersion} or later.");
        }

        if (encoding != "UTF8")
        {
            throw ZeroStorException.Invalid(
                $"The database {Name} holds text as {encoding}, which cannot say every key: make one with "
                + "ENCODING 'UTF8'.");
        }

        if (row.GetString(2) != "on")
        {
            throw ZeroStorException.Invalid(
                $"The database {Name} runs with fsync = {row.GetString(2)} and would lose what it "
                + "acknowledged when the power fails: turn it on.");
        }

        return !row.GetBoolean(3)
            ? false
            : throw new ZeroStorException(
                ErrorKind.Unavailable,
                $"The database {Name} is a standby, which lags behind and takes no writes: name the primary, "
                + "or wait until this one is promoted.");
    });

    private static NpgsqlConnectionStringBuilder Parse(string connectionString)
    {
        NpgsqlConnectionStringBuilder said;
        try
        {
            said = new NpgsqlConnectionStringBuilder(connectionString);
        }
        catch (Exception error) when (error is ArgumentException or FormatException or KeyNotFoundException)
        {
            // Without the error: it may cite a piece of a password.
            throw NoConnectionString();
        }

        return string.IsNullOrWhiteSpace(said.Host) || string.IsNullOrWhiteSpace(said.Username)
            ? throw NoConnectionString()
            : said;
    }

    private static ZeroStorException NoConnectionString() => ZeroStorException.Invalid(
        "The connection string of PostgreSQL is none: say Host=...;Database=...;Username=...;Password=..., "
        + "and put a value that holds a semicolon or an equals sign between double quotes.");

    private static string NameOf(NpgsqlConnectionStringBuilder said) => string.Create(
        CultureInfo.InvariantCulture, $"{said.Database ?? said.Username} at {said.Host}:{said.Port}");

    // idle_in_transaction_session_timeout: a silo that was stopped in the middle must not hold its locks.
    // enable_*: every statement goes by an index, also while there are no statistics of a table yet. jit: a
    // table of one row has no other way than the scan that seems so costly now, and would be compiled for, 70
    // ms a time.
    private static string OptionsOf(NpgsqlConnectionStringBuilder said, CatalogOptions options) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{said.Options} -c synchronous_commit=on -c lock_timeout={Milliseconds(options.LockPatience)} "
            + $"-c idle_in_transaction_session_timeout={Milliseconds(options.SilencePatience)} "
            + $"-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off").Trim();

    private static int Seconds(TimeSpan time) => Math.Max(1, (int)time.TotalSeconds);

    private static int Milliseconds(TimeSpan time) => Math.Max(1, (int)time.TotalMilliseconds);
}
