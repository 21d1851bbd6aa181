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

/// <summary>A statement and the names of its parameters, in the order in which they are bound.</summary>
internal sealed record SqlStatement(string Name, ImmutableArray<string> Parameters, string Text);

/// <summary>The SQL of one database: everything under its folder of <c>sql/</c>, which is embedded here.
/// Files that begin with three digits are scripts; the others hold statements in named sections.</summary>
internal sealed partial class SqlText
{
    private readonly FrozenDictionary<string, SqlStatement> _statements;

    private SqlText(ImmutableArray<SqlScript> scripts, IEnumerable<SqlStatement> statements)
    {
        Scripts = scripts;
        _statements = statements.ToFrozenDictionary(s => s.Name);
    }

    /// <summary>In the order in which they are applied.</summary>
    public ImmutableArray<SqlScript> Scripts { get; }

    public SqlStatement this[string name] => _statements[name];

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
            ImmutableArray<string> parameters =
            [
                .. heads[i].Groups["parameters"].Value.Split(
                    ',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries),
            ];
            yield return new SqlStatement(heads[i].Groups["name"].Value, parameters, text[start..end].Trim());
        }
    }

    [GeneratedRegex(@"^\d{3}-")]
    private static partial Regex Numbered();

    [GeneratedRegex(@"^-- name: (?<name>[a-z-]+)\((?<parameters>[a-z0-9_, ]*)\)\r?$", RegexOptions.Multiline)]
    private static partial Regex Heading();
}
