using System.Data.Common;

namespace ZeroStor.Catalog;

/// <summary>One connection and its prepared statements, which are known by their names in
/// <see cref="SqlText"/>. One caller at a time. A session that met an error is closed, never used
/// again.</summary>
internal sealed class Session : IAsyncDisposable
{
    /// <summary>Sets of values that go to the database in one round trip: far more than a batch of orders
    /// has, few enough that a manifest of ten thousand contents costs some megabytes.</summary>
    private const int MaxSets = 4096;

    private readonly DbConnection _connection;
    private readonly Database _database;
    private readonly bool _forWriting;
    private readonly Dictionary<string, (SqlStatement Statement, DbCommand Command)> _prepared = [];
    private string? _databaseId;
    private bool _isIdKnown;
    private string? _warning;

    public Session(DbConnection connection, Database database, bool forWriting)
    {
        _connection = connection;
        _database = database;
        _forWriting = forWriting;
        database.Listen(connection, warning => _warning = warning);
    }

    /// <summary>Runs a statement; how many rows it changed.</summary>
    public async Task<int> ExecuteAsync(string statement, params object?[] values) =>
        await (await BindAsync(statement, values)).ExecuteNonQueryAsync();

    /// <summary>Runs a statement and hands over each row that it finds, until <paramref name="row"/> says
    /// false.</summary>
    public async Task QueryAsync(string statement, Func<DbDataReader, bool> row, params object?[] values) =>
        await ReadAsync(await BindAsync(statement, values), row);

    /// <summary>Runs a statement once for each set of values, and hands over all rows that they find: in any
    /// order, so rows must say what they belong to. A database with array parameters needs one round trip.
    /// </summary>
    public async Task QueryEachAsync(
        string statement, IEnumerable<object?[]> sets, Action<DbDataReader> row)
    {
        await foreach (DbCommand command in BindEachAsync(statement, sets))
        {
            await ReadAsync(command, reader =>
            {
                row(reader);
                return true;
            });
        }
    }

    /// <summary>Runs a statement once for each set of values; how many rows that changed. A database with
    /// array parameters needs one round trip.</summary>
    public async Task<int> ExecuteEachAsync(string statement, IEnumerable<object?[]> sets)
    {
        int changed = 0;
        await foreach (DbCommand command in BindEachAsync(statement, sets))
        {
            changed += await command.ExecuteNonQueryAsync();
        }

        return changed;
    }

    /// <summary>Ends the transaction so that it is durable.</summary>
    /// <exception cref="ZeroStorException">Unavailable: the database warned. PostgreSQL does so, and calls it
    /// a success, when it was told to wait no longer for the standby that must have it too.</exception>
    public async Task CommitAsync()
    {
        _warning = null;
        await ExecuteAsync("commit");
        if (_warning is not null)
        {
            throw new ZeroStorException(
                ErrorKind.Unavailable,
                $"The catalog {_database.Name} warned of a commit ({_warning.TrimEnd('.')}), and the change "
                + "may be lost: say it again.");
        }
    }

    /// <summary>See <see cref="FabricState.DatabaseId"/>. Read once for each connection: a server that becomes
    /// another one ends those it had.</summary>
    public async Task<string?> ReadDatabaseIdAsync()
    {
        if (!_isIdKnown)
        {
            _databaseId = await _database.ReadIdAsync(this);
            _isIdKnown = true;
        }

        return _databaseId;
    }

    /// <summary>Runs a script of many statements, without parameters.</summary>
    public async Task RunScriptAsync(string text)
    {
        await using DbCommand command = _connection.CreateCommand();
        UseText(command, text);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((_, DbCommand command) in _prepared.Values)
        {
            await command.DisposeAsync();
        }

        await _connection.DisposeAsync();
    }

    // A statement that locks before it reads is several: only the last one finds rows.
    private static async Task ReadAsync(DbCommand command, Func<DbDataReader, bool> row)
    {
        await using DbDataReader reader = await command.ExecuteReaderAsync();
        do
        {
            while (await reader.ReadAsync())
            {
                if (!row(reader))
                {
                    return;
                }
            }
        }
        while (await reader.NextResultAsync());
    }

    private async Task<DbCommand> BindAsync(string name, object?[] values)
    {
        (SqlStatement statement, DbCommand command) = await PrepareAsync(name);
        Fill(statement, command, [values]);
        return command;
    }

    private async IAsyncEnumerable<DbCommand> BindEachAsync(string name, IEnumerable<object?[]> sets)
    {
        (SqlStatement statement, DbCommand command) = await PrepareAsync(name);
        foreach (object?[][] chunk in sets.Chunk(statement.TakesSets ? MaxSets : 1))
        {
            Fill(statement, command, chunk);
            yield return command;
        }
    }

    private static void Fill(SqlStatement statement, DbCommand command, object?[][] sets)
    {
        if (sets.FirstOrDefault(values => values.Length != statement.Parameters.Length) is object?[] wrong)
        {
            throw new ArgumentException(
                $"'{statement.Name}' has {statement.Parameters.Length} parameters and was given "
                + $"{wrong.Length}",
                nameof(sets));
        }

        for (int i = 0; i < statement.Parameters.Length; i++)
        {
            command.Parameters[i].Value = statement.TakesSets
                ? Column(sets, i, statement.Parameters[i].Type)
                : Plain(sets[0][i]) ?? DBNull.Value;
        }
    }

    private static Array Column(object?[][] sets, int column, string type) => type switch
    {
        "bytea[]" => Array.ConvertAll(sets, set => (byte[]?)Plain(set[column])),
        "text[]" => Array.ConvertAll(sets, set => (string?)Plain(set[column])),
        "bigint[]" => Array.ConvertAll(sets, set => (long)Plain(set[column])!),
        _ => throw new ArgumentException($"'{type}' is no type of a column", nameof(type)),
    };

    private static object? Plain(object? value) => value switch
    {
        UInt128 id => Id128.ToBytes(id),
        uint number => (long)number,
        int number => (long)number,
        bool flag => flag ? 1L : 0L,
        _ => value,
    };

    private async Task<(SqlStatement Statement, DbCommand Command)> PrepareAsync(string name)
    {
        if (_prepared.TryGetValue(name, out (SqlStatement, DbCommand) known))
        {
            return known;
        }

        SqlStatement statement = _forWriting ? _database.Sql.ForWriting(name) : _database.Sql[name];
        DbCommand command = _connection.CreateCommand();
        UseText(command, statement.Text);
        foreach (SqlParameter declared in statement.Parameters)
        {
            DbParameter parameter = command.CreateParameter();
            parameter.ParameterName = "@" + declared.Name;
            _database.Declare(parameter, declared.Type);
            command.Parameters.Add(parameter);
        }

        await command.PrepareAsync();
        _prepared.Add(name, (statement, command));
        return (statement, command);
    }

    private static void UseText(DbCommand command, string text)
    {
#pragma warning disable CA2100 // The text is a file of this assembly: nothing from outside is part of it.
        command.CommandText = text;
#pragma warning restore CA2100
    }
}

/// <summary>Reading columns as the words of the design.</summary>
internal static class RowReading
{
    public static UInt128 Id(this DbDataReader row, int column) => Id128.Read(row.Blob(column));

    public static byte[] Blob(this DbDataReader row, int column) => row.GetFieldValue<byte[]>(column);

    public static uint UInt32(this DbDataReader row, int column) => checked((uint)row.GetInt64(column));

    public static Tick Tick(this DbDataReader row, int column) => new(row.UInt32(column));
}
