using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine;

/// <summary><c>zs ls</c>, <c>zs rm</c>, <c>zs stat</c>.</summary>
internal static class ObjectVerbs
{
    private const int DeletesAtOnce = 16;

    /// <summary>Lines of JSON are sent off after so many, so that no listing is held whole.</summary>
    private const int LinesPerFlush = 256;

    public static Command MakeList()
    {
        var target = new Argument<string?>("VAULT/PREFIX")
        {
            Description = "What to list; nothing: the vaults",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var recursive = new Option<bool>("-r") { Description = "All keys that begin so, not one level" };
        var isLong = new Option<bool>("-l") { Description = "With size and time" };
        var versions = new Option<bool>("--versions") { Description = "All versions, and deletes, the last one first" };
        return Verb.Make("ls", """
            Lists vaults, or the keys that begin with a prefix, one level by /.

              zs ls
              zs ls photos
              zs ls -l photos/2024/
              zs ls -r photos/20
              zs ls --versions photos/2024/
            """, [target, recursive, isLong, versions], verb =>
        {
            if (verb.Arguments.GetValue(versions))
            {
                return Versions.ListAsync(
                    verb,
                    Target.Parse(verb.Arguments.GetValue(target) ?? ""),
                    verb.Arguments.GetValue(recursive));
            }

            bool withMore = verb.Arguments.GetValue(isLong);
            return verb.Arguments.GetValue(target) is { } text
                ? ListAsync(verb, Target.Parse(text), verb.Arguments.GetValue(recursive), withMore)
                : VaultVerbs.ListAsync(verb, withMore);
        });
    }

    public static Command MakeRemove()
    {
        var target = new Argument<string>("VAULT/KEY") { Description = "What to remove" };
        var recursive = new Option<bool>("-r") { Description = "All keys below KEY/ as well" };
        Option<string> version = Versions.MakeOption("The version, or the delete, to remove for good");
        return Verb.Make("rm", """
            Removes an object; with -r all below it. It cannot be read from then on; in a vault that keeps versions it
            goes on as an earlier one, until that is removed by its id.

              zs rm photos/2024/sea.jpg
              zs rm -r photos/2024
              zs rm photos/2024/sea.jpg --version 3f2a9c04b1d85e6677f0a1b2c3d4e5f6
            """, [target, recursive, version], verb =>
        {
            string text = verb.Arguments.GetRequiredValue(target);
            VersionId? named = Versions.Parse(verb.Arguments.GetValue(version));
            if (!verb.Arguments.GetValue(recursive))
            {
                return RemoveOneAsync(verb, Target.ParseObject(text), named);
            }

            if (named is not null)
            {
                throw ZeroStorException.Invalid("A version is one key's: say --version without -r.");
            }

            Target folder = Target.Parse(text);
            return folder.HasSlash
                ? RemoveFolderAsync(verb, folder)
                : throw ZeroStorException.Invalid(
                    $"'{text}' is a vault: say '{text}/' for all its objects, or 'zs vault rm {text}'.");
        });
    }

    public static Command MakeStat()
    {
        var target = new Argument<string>("VAULT/KEY") { Description = "The object" };
        var shards = new Option<bool>("--shards") { Description = "Where each shard of each stripe lies" };
        Option<bool> stale = MakeAllowStale();
        return Verb.Make("stat", """
            Shows what an object is, and where its shards lie.

              zs stat photos/2024/sea.jpg
              zs stat photos/2024/sea.jpg --shards --json
            """, [target, shards, stale], verb =>
        {
            bool withShards = verb.Arguments.GetValue(shards);
            bool allowStale = verb.Arguments.GetValue(stale);
            return withShards && allowStale
                ? throw ZeroStorException.Invalid(
                    "--shards looks where they are now: say it without --allow-stale.")
                : StatAsync(
                    verb, Target.ParseObject(verb.Arguments.GetRequiredValue(target)), withShards, allowStale);
        });
    }

    /// <summary>An answer from before the catalog went away is better than none.</summary>
    public static Option<bool> MakeAllowStale() => new("--allow-stale")
    {
        Description = "While the catalog does not answer, take the version that a silo saw last",
    };

    /// <summary>Says on standard error that a version is stale; in JSON its <c>isStale</c> does.</summary>
    public static void TellStale(Verb verb, ObjectVersion version)
    {
        if (version.IsStale)
        {
            verb.Output.Notice(
                $"the catalog does not answer: this is the version of {version.Key} that a silo saw last, and it may "
                + "have been overwritten or deleted since.");
        }
    }

    /// <summary>A version, as every verb's JSON shows it.</summary>
    public static void Write(Utf8JsonWriter w, ObjectVersion version)
    {
        w.WriteString("key", version.Key);
        w.WriteNumber("size", version.Size);
        w.WriteString("etag", version.ETag);
        w.WriteString("version", version.Version.ToString());
        w.WriteString("modified", Text.Time(version.Modified));
        w.WriteBoolean("isStale", version.IsStale);
        w.WriteString("contentType", version.ContentType);
        w.WriteStartObject("headers");
        foreach ((string name, string value) in version.Headers)
        {
            w.WriteString(name, value);
        }

        w.WriteEndObject();
    }

    internal static void Write(Utf8JsonWriter w, ShardPlace shard)
    {
        w.WriteStartObject();
        w.WriteNumber("stripe", shard.Stripe);
        w.WriteNumber("index", shard.Index);
        w.WriteNumber("disk", shard.Disk.Value);
        w.WriteString("silo", shard.Silo);
        w.WriteString("state", shard.State);
        w.WriteString("file", shard.File);
        w.WriteNumber("offset", shard.Offset);
        w.WriteNumber("length", shard.Length);
        w.WriteEndObject();
    }

    private static async Task ListAsync(Verb verb, Target target, bool isRecursive, bool isLong)
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        IAsyncEnumerable<ListEntry> entries = client.Vault(target.Vault).ListAsync(
            new ListOptions { Prefix = target.Key, Delimiter = isRecursive ? null : "/" }, verb.Cancel);
        if (!verb.Output.IsJson)
        {
            await foreach (ListEntry entry in entries)
            {
                string size = entry.IsPrefix ? "" : entry.Size.ToString(CultureInfo.InvariantCulture);
                string time = entry.IsPrefix ? "" : Text.Time(entry.Modified);
                verb.Output.Line(isLong ? $"{size,12}  {time,-20}  {entry.Key}" : entry.Key);
            }

            return;
        }

        await verb.Output.JsonAsync(async w =>
        {
            w.WriteStartObject();
            w.WriteString("vault", target.Vault);
            w.WriteString("prefix", target.Key);
            await WriteAllAsync(w, "entries", entries, Write);
            w.WriteEndObject();
        });
    }

    private static void Write(Utf8JsonWriter w, ListEntry entry)
    {
        w.WriteStartObject();
        w.WriteString("key", entry.Key);
        w.WriteBoolean("isPrefix", entry.IsPrefix);
        if (!entry.IsPrefix)
        {
            w.WriteNumber("size", entry.Size);
            w.WriteString("etag", entry.ETag);
            w.WriteString("version", entry.Version.ToString());
            w.WriteString("modified", Text.Time(entry.Modified));
        }

        w.WriteEndObject();
    }

    private static async Task RemoveOneAsync(Verb verb, Target target, VersionId? version)
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        DeleteOutcome outcome = await client.Vault(target.Vault).DeleteAsync(
            new DeleteItem(target.Key, version), verb.Cancel);
        if (outcome.Kind == ErrorKind.NotFound)
        {
            throw ZeroStorException.NotFound(
                version is null ? $"There is no object '{target}'." : $"There is no version {version} of '{target}'.");
        }

        Told(verb, target, 1);
    }

    private static async Task RemoveFolderAsync(Verb verb, Target target)
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        Vault vault = client.Vault(target.Vault);
        long removed = 0;
        bool isAlsoKey = target.Key != target.Folder;
        if (isAlsoKey && await vault.DeleteAsync(target.Key, null, verb.Cancel))
        {
            removed++;
        }

        await Parallel.ForEachAsync(
            vault.ListAsync(new ListOptions { Prefix = target.Folder }, verb.Cancel),
            new ParallelOptions { MaxDegreeOfParallelism = DeletesAtOnce, CancellationToken = verb.Cancel },
            async (entry, cancel) =>
            {
                if (await vault.DeleteAsync(entry.Key, null, cancel))
                {
                    Interlocked.Increment(ref removed);
                }
            });
        if (removed == 0)
        {
            throw ZeroStorException.NotFound($"There is nothing at or below '{target}'.");
        }

        Told(verb, target, removed);
    }

    private static void Told(Verb verb, Target target, long removed)
    {
        verb.Output.Line(
            removed == 1 ? $"Removed {target}." : $"Removed {removed} objects at or below {target}.");
        verb.Output.Json(w =>
        {
            w.WriteString("vault", target.Vault);
            w.WriteString("key", target.Key);
            w.WriteNumber("removed", removed);
        });
    }

    private static async Task StatAsync(Verb verb, Target target, bool withShards, bool allowStale)
    {
        await using ZeroStorClient client = await verb.ConnectAsync();
        Vault vault = client.Vault(target.Vault);
        ObjectVersion version = await vault.HeadAsync(target.Key, allowStale, verb.Cancel);
        TellStale(verb, version);
        if (verb.Output.IsJson)
        {
            await verb.Output.JsonAsync(async w =>
            {
                w.WriteStartObject();
                w.WriteString("vault", target.Vault);
                Write(w, version);
                if (withShards)
                {
                    await WriteAllAsync(w, "shards", vault.LocateAsync(target.Key, verb.Cancel), Write);
                }

                w.WriteEndObject();
            });
            return;
        }

        verb.Output.Line($"key          {target}");
        verb.Output.Line(string.Create(
            CultureInfo.InvariantCulture, $"size         {version.Size} ({Text.Bytes(version.Size)})"));
        verb.Output.Line($"etag         {version.ETag}");
        verb.Output.Line($"version      {version.Version}");
        verb.Output.Line($"modified     {Text.Time(version.Modified)}");
        if (version.ContentType.Length > 0)
        {
            verb.Output.Line($"content type {version.ContentType}");
        }

        foreach ((string name, string value) in version.Headers)
        {
            verb.Output.Line($"header       {name}: {value}");
        }

        if (withShards)
        {
            verb.Output.Line("stripe index  disk  state    silo, file, offset, length");
            await foreach (ShardPlace s in vault.LocateAsync(target.Key, verb.Cancel))
            {
                verb.Output.Line(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{s.Stripe,6} {s.Index,5} {s.Disk,5}  {s.State,-7}  "
                    + $"{s.Silo} {s.File} {s.Offset} {s.Length}"));
            }
        }
    }

    /// <summary>Writes an array as its elements come.</summary>
    public static async Task WriteAllAsync<T>(
        Utf8JsonWriter w, string name, IAsyncEnumerable<T> lines, Action<Utf8JsonWriter, T> write)
    {
        w.WriteStartArray(name);
        int written = 0;
        await foreach (T line in lines)
        {
            write(w, line);
            if (++written % LinesPerFlush == 0)
            {
                await w.FlushAsync();
            }
        }

        w.WriteEndArray();
    }
}
