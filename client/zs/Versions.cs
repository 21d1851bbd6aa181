using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ZeroStor.Client;

namespace ZeroStor.CommandLine;

/// <summary>What verbs say of versions beside the current ones.</summary>
internal static class Versions
{
    private const string NullName = "null";

    public static Option<string> MakeOption(string what) => new("--version")
    {
        Description = $"{what}, as zs ls --versions shows it; null: the one made while versions were not kept",
        HelpName = "ID",
    };

    /// <summary>Null where none is named.</summary>
    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static VersionId? Parse(string? text) =>
        text is null ? null : text == NullName ? VersionId.Null : VersionId.Parse(text);

    /// <exception cref="ZeroStorException">InvalidArgument.</exception>
    public static Versioning ParseVersioning(string text) =>
        Enum.GetValues<Versioning>().Where(v => NameOf(v) == text).Select(v => (Versioning?)v).FirstOrDefault()
        ?? throw ZeroStorException.Invalid(
            $"'{text}' is no versioning: {string.Join(", ", Enum.GetValues<Versioning>().Select(NameOf))} are.");

    public static string NameOf(Versioning versioning) => versioning.ToString().ToLowerInvariant();

    /// <summary>Lists all versions and marks of keys, a line each.</summary>
    public static async Task ListAsync(Verb verb, Target target, bool isRecursive)
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        IAsyncEnumerable<VersionEntry> entries = client.Vault(target.Vault).ListVersionsAsync(
            new ListVersionsOptions { Prefix = target.Key, Delimiter = isRecursive ? null : "/" }, verb.Cancel);
        if (!verb.Output.IsJson)
        {
            await foreach (VersionEntry entry in entries)
            {
                verb.Output.Line(entry.IsPrefix ? $"{"",-68}  {entry.Key}" : LineOf(entry));
            }

            return;
        }

        await verb.Output.JsonAsync(async w =>
        {
            w.WriteStartObject();
            w.WriteString("vault", target.Vault);
            w.WriteString("prefix", target.Key);
            await ObjectVerbs.WriteAllAsync(w, "versions", entries, Write);
            w.WriteEndObject();
        });
    }

    private static string LineOf(VersionEntry entry)
    {
        string size = entry.IsMark ? "deleted" : entry.Size.ToString(CultureInfo.InvariantCulture);
        string name = entry.IsNull ? NullName : entry.Version.ToString();
        return $"{size,12}  {Text.Time(entry.Modified),-20}  {name,-32}  {entry.Key}";
    }

    private static void Write(Utf8JsonWriter w, VersionEntry entry)
    {
        w.WriteStartObject();
        w.WriteString("key", entry.Key);
        w.WriteBoolean("isPrefix", entry.IsPrefix);
        if (!entry.IsPrefix)
        {
            w.WriteString("version", entry.Version.ToString());
            w.WriteBoolean("isNull", entry.IsNull);
            w.WriteBoolean("isMark", entry.IsMark);
            w.WriteBoolean("isLatest", entry.IsLatest);
            w.WriteNumber("size", entry.Size);
            w.WriteString("etag", entry.ETag);
            w.WriteString("modified", Text.Time(entry.Modified));
        }

        w.WriteEndObject();
    }
}
