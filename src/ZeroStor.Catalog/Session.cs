using System.Data.Common;

namespace ZeroStor.Catalog;

/// <summary>One connection and its prepared statements, which are known by their names in
/// <see cref="SqlText"/>. One caller at a time. A session that met an error is closed, never used
/// again.</summary>
internal sealed class Session(DbConnection connection, SqlText sql) : IAsyncDisposable
{
    private readonly Dictionary<string, DbCommand> _prepared = [];

    /// <summary>Runs a statement; how many rows it changed.</summary>
    public Task<int> ExecuteAsync(string statement, params object?[] values) =>
        Bind(statement, values).ExecuteNonQueryAsync();

    /// <summary>Runs a statement and hands over each row that it finds, until <paramref name="row"/> says
    /// false.</summary>
    public async Task QueryAsync(string statement, Func<DbDataReader, bool> row, params object?[] values)
    {
        await using DbDataReader reader = await Bind(statement, values).ExecuteReaderAsync();
        while (await reader.ReadAsync() && row(reader))
        {
        }
    }

    /// <summary>Runs a statement once for each set of values, and hands over all rows that they find: in any
    /// order, so rows must say what they belong to. (A database with array parameters needs one round trip.)
    /// </summary>
    public async Task QueryEachAsync(
        string statement, IEnumerable<object?[]> sets, Action<DbDataReader> row)
    {
        foreach (object?[] values in sets)
        {
            await QueryAsync(
                statement,
                reader =>
                {
                    row(reader);
                    return true;
                },
                values);
        }
    }

    /// <summary>Runs a statement once for each set of values.</summary>
    public async Task ExecuteEachAsync(string statement, IEnumerable<object?[]> sets)
    {
        foreach (object?[] values in sets)
        {
            await ExecuteAsync(statement, values);
        }
    }

    /// <summary>Runs a script of many statements, without parameters.</summary>
    public async Task RunScriptAsync(string text)
    {
        await using DbCommand command = connection.CreateCommand();
        UseText(command, text);
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (DbCommand command in _prepared.Values)
        {
            await command.DisposeAsync();
        }

        await connection.DisposeAsync();
    }

    private DbCommand Bind(string name, object?[] values)
    {
        if (!_prepared.TryGetValue(name, out DbCommand? command))
        {
            command = Prepare(sql[name]);
            _prepared.Add(name, command);
        }

        if (values.Length != command.Parameters.Count)
        {
            throw new ArgumentException(
                $"'{name}' has {command.Parameters.Count} parameters and was given {values.Length}",
                nameof(values));
        }

        for (int i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = values[i] switch
            {
                null => DBNull.Value,
                UInt128 id => Id128.ToBytes(id),
                uint number => (long)number,
                int number => (long)number,
                bool flag => flag ? 1L : 0L,
                object value => value,
            };
        }

        return command;
    }

    private DbCommand Prepare(SqlStatement statement)
    {
        DbCommand command = connection.CreateCommand();
        UseText(command, statement.Text);
        foreach (string name in statement.Parameters)
        {
            DbParameter parameter = command.CreateParameter();
            parameter.ParameterName = "@" + name;
            command.Parameters.Add(parameter);
        }

        return command;
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
