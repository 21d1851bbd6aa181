using System.Collections.Immutable;

namespace ZeroStor.Catalog;

/// <summary>Brings a database to the tables that this version knows: each script once, all in one
/// transaction, so that of two processes that start together one finds them made.</summary>
internal static class Schema
{
    private const string ScriptTable = "zerostor_scripts";

    /// <summary>To be called within a write transaction; the names of the scripts that it applied.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument: a database of something else, or of a version of
    /// ZeroStor with other scripts.</exception>
    public static async Task<ImmutableArray<string>> ApplyAsync(
        Session session, Database database, IEntropy entropy, DateTimeOffset now)
    {
        var tables = new HashSet<string>();
        await session.QueryAsync("tables", row => tables.Add(row.GetString(0)));
        if (tables.Count > 0 && !tables.Contains(ScriptTable))
        {
            throw ZeroStorException.Invalid(
                $"The database {database.Name} holds tables of something else: "
                + "give the catalog one of its own.");
        }

        await session.ExecuteAsync("scripts-create");
        var applied = new Dictionary<int, (string Name, byte[] Sha256)>();
        await session.QueryAsync(
            "scripts", row => applied.TryAdd((int)row.GetInt64(0), (row.GetString(1), row.Blob(2))));
        ImmutableArray<SqlScript> known = database.Sql.Scripts;
        Check(database, known, applied);
        SqlScript[] missing = [.. known.Where(s => !applied.ContainsKey(s.Number))];
        foreach (SqlScript script in missing)
        {
            await session.RunScriptAsync(script.Text);
            await session.ExecuteAsync(
                "script-add", script.Number, script.Name, script.Sha256, now.ToUnixTimeMilliseconds());
        }

        if (await FabricTable.ReadAsync(session) is null)
        {
            await session.ExecuteAsync("fabric-create", FabricId.New(entropy).Value);
        }

        return [.. missing.Select(s => s.Name)];
    }

    private static void Check(
        Database database,
        ImmutableArray<SqlScript> known,
        Dictionary<int, (string Name, byte[] Sha256)> applied)
    {
        var byNumber = known.ToDictionary(s => s.Number);
        foreach ((int number, (string name, byte[] sha256)) in applied.OrderBy(a => a.Key))
        {
            if (!byNumber.TryGetValue(number, out SqlScript? script))
            {
                throw ZeroStorException.Invalid(
                    $"The catalog {database.Name} was made by a newer ZeroStor (script {name} is not known "
                    + "here): run that version or a later one.");
            }

            if (!sha256.AsSpan().SequenceEqual(script.Sha256))
            {
                throw ZeroStorException.Invalid(
                    $"The catalog {database.Name} was made by another {name} than this version's: "
                    + "run the version that made it, or move its data through a front end.");
            }
        }
    }
}
