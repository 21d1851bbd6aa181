using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace ZeroStor.Catalog;

/// <summary>A numbered script that makes tables. Applied once, never changed once released.</summary>
internal sealed record SqlScript(int Number, string Name, string Text)
{
    public byte[] Sha256 { get; } = SHA256.HashData(Encoding.UTF8.GetBytes(Text));
}

/// <summary>A statement and its parameters, in the order in which they are bound.</summary>
internal sealed record SqlStatement(string Name, ImmutableArray<SqlParameter> Parameters, string Text)
{
    /// <summary>It takes many sets of values at once, each parameter an array: all values of one column.
    /// </summary>
    public bool TakesSets { get; } = !Parameters.IsEmpty && Parameters.All(p => p.IsArray);
}

/// <param name="Type">As the database says it; empty where it takes what comes.</param>
internal readonly record struct SqlParameter(string Name, string Type)
{
    public bool IsArray => Type.EndsWith("[]", StringComparison.Ordinal);
}

/// <summary>The SQL of one database: everything under its folder of <c>sql/</c>, which is embedded here.
/// Files that begin with three digits are scripts; the others hold statements in named sections.</summary>
internal sealed partial class SqlText
{
    private const string WhenWriting = " when writing";

    private readonly FrozenDictionary<string, SqlStatement> _statements;

    private SqlText(ImmutableArray<SqlScript> scripts, IEnumerable<SqlStatement> statements)
    {
        Scripts = scripts;
        _statements = statements.ToFrozenDictionary(s => s.Name);
    }

    /// <summary>In the order in which they are applied.</summary>
    public ImmutableArray<SqlScript> Scripts { get; }

    /// <summary>The names of all statements.</summary>
    public IEnumerable<string> Statements => _statements.Keys.Where(
        n => !n.EndsWith(WhenWriting, StringComparison.Ordinal));

    public SqlStatement this[string name] => _statements[name];

    /// <summary>The statement as a transaction runs it that writes: some have a text of their own for that,
    /// which locks what it reads.</summary>
    public SqlStatement ForWriting(string name) =>
        _statements.GetValueOrDefault(name + WhenWriting) ?? _statements[name];

    /// <param name="folder">The folder within <c>sql/</c>, as in <c>sqlite</c>.</param>
    public static SqlText Load(string folder)
    {
        Assembly assembly = typeof(SqlText).Assembly;
        string start = $"sql/{folder}/";
        var scripts = new List<SqlScript>();
        var statements = new List<SqlStatement>();
        foreach (string resource in assembly.GetManifestResourceNames())
        {
            if (!resource.StartsWith(start, StringComparison.Ordinal))
            {
                continue;
            }

            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
            string text = reader.ReadToEnd();
            string name = resource[start.Length..];
            if (Numbered().IsMatch(name))
            {
                int number = int.Parse(name.AsSpan(0, 3), NumberStyles.None, CultureInfo.InvariantCulture);
                scripts.Add(new SqlScript(number, name, text));
            }
            else
            {
                statements.AddRange(Sections(text));
            }
        }

        return new SqlText([.. scripts.OrderBy(s => s.Number)], statements);
    }

    private static IEnumerable<SqlStatement> Sections(string text)
    {
        MatchCollection heads = Heading().Matches(text);
        for (int i = 0; i < heads.Count; i++)
        {
            int start = heads[i].Index + heads[i].Length;
            int end = i + 1 < heads.Count ? heads[i + 1].Index : text.Length;
            string name = heads[i].Groups["name"].Value + heads[i].Groups["when"].Value;
            ImmutableArray<SqlParameter> parameters =
                [.. heads[i].Groups["parameters"].Value.Split(',').SelectMany(ParameterOf)];
            yield return new SqlStatement(name, parameters, text[start..end].Trim());
        }
    }

    private static IEnumerable<SqlParameter> ParameterOf(string text)
    {
        string[] words = text.Split((char[])[' ', '-', '\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
        return words.Length == 0 ? [] : [new SqlParameter(words[0], words.Length > 1 ? words[1] : "")];
    }

    [GeneratedRegex(@"^\d{3}-")]
    private static partial Regex Numbered();

    [GeneratedRegex(
        @"^-- name: (?<name>[a-z-]+)\((?<parameters>[-a-z0-9_, \[\]\r\n]*)\)(?<when> when writing)?\r?$",
        RegexOptions.Multiline)]
    private static partial Regex Heading();
}
