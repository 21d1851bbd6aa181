using System.CommandLine;
using ZeroStor.Client;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.CommandLine;

/// <summary><c>zs catalog adopt</c>: what to do about a catalog that went back.</summary>
internal static class CatalogVerbs
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private static readonly Option<bool> Yes = new("--yes")
    {
        Description = "Enter what was found, and take the catalog for the right one from now on",
    };

    public static Command Make()
    {
        var command = new Command("catalog", "Deals with a catalog that went back in time.");
        command.Add(Verb.Make("adopt", """
            A catalog that was put back to an earlier time (a restored backup) does not know what was put since, so by
            its word that would be reclaimed. When disks have seen a later time than the catalog, nothing is reclaimed
            until you decide. Is it the wrong file? Stop the silo, put the right one in its place, start it: the
            notice goes. Is it the best there is? Adopt it.

            Without --yes this lists the versions that disks hold and the catalog lacks. With --yes it enters them,
            each with the header zerostor-found, and reclaiming goes on. Of several versions of a key the newest has
            the key; the others are entered beside it, as KEY.found-XXXXXXXX. Among what is found may be what was
            deleted since. Objects without content, copies, and vaults made since leave nothing to be found.

              zs catalog adopt
              zs catalog adopt --yes
            """, [Yes], AdoptAsync));
        return command;
    }

    private static async Task AdoptAsync(Verb verb)
    {
        bool isAdoption = verb.Arguments.GetValue(Yes);
        await using ZeroStorClient client = await verb.ConnectAsync();
        AdoptProgress before = await client.AdoptAsync(cancel: verb.Cancel);
        AdoptProgress now = await client.AdoptAsync(
            isAdoption ? AdoptStep.Adopt : AdoptStep.Look, verb.Cancel);
        Tick wentBack = now.WentBack ?? default;
        while (now.IsRunning || now.Ended == before.Ended)
        {
            await Task.Delay(Pause, verb.Cancel);
            now = await client.AdoptAsync(cancel: verb.Cancel);
        }

        if (now.Failure is { } failure)
        {
            throw new ZeroStorException(
                ErrorKind.Unavailable, $"It ended early and may be repeated: {failure}");
        }

        Tell(verb.Output, now, wentBack, isAdoption);
    }

    private static void Tell(Output output, AdoptProgress now, Tick wentBack, bool isAdoption)
    {
        output.Line($"catalog  went back to tick {wentBack}");
        foreach (FoundVersion version in now.Versions)
        {
            output.Line(version.Refusal.Length > 0
                ? $"left     {version.Vault}/{version.Key}  {Text.Bytes(version.Size)}  tick {version.Put}: "
                    + version.Refusal
                : $"found    {version.Vault}/{version.EnteredAs}  {Text.Bytes(version.Size)}  tick {version.Put}");
        }

        if (now.Found > now.Versions.Length)
        {
            output.Line($"         and {now.Found - now.Versions.Length} more");
        }

        output.Line(isAdoption
            ? $"adopted  {now.Entered} of {now.Found} found versions entered; reclaiming goes on"
            : $"nothing was changed; zs catalog adopt --yes enters them");
        output.Json(w =>
        {
            w.WriteNumber("wentBack", wentBack.Value);
            w.WriteBoolean("adopted", isAdoption);
            w.WriteNumber("found", now.Found);
            w.WriteNumber("entered", now.Entered);
            w.WriteStartArray("versions");
            foreach (FoundVersion version in now.Versions)
            {
                w.WriteStartObject();
                w.WriteString("vault", version.Vault);
                w.WriteString("key", version.Key);
                w.WriteString("enteredAs", version.EnteredAs);
                w.WriteNumber("size", version.Size);
                w.WriteString("modified", Text.Time(version.Modified));
                w.WriteNumber("put", version.Put.Value);
                w.WriteString("refusal", version.Refusal);
                w.WriteEndObject();
            }

            w.WriteEndArray();
        });
    }
}
