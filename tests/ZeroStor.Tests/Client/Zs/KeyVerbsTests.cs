using System.Text.Json;
using ZeroStor.CommandLine;
using ZeroStor.Contracts.Doors;

namespace ZeroStor.Tests.Client.Zs;

public sealed class KeyVerbsTests
{
    private static readonly VaultKeyRing Ring = new()
    {
        Custody = "fabric",
        Bytes = 5_000,
        Keys =
        [
            new VaultKey { Generation = 1, Suite = "xwing", Begun = new Tick(7), HeldBy = "ab", Epochs = [] },
            new VaultKey { Generation = 2, Suite = "xwing1024", Begun = new Tick(9), HeldBy = "ab", Epochs = [1, 2, 3] },
            new VaultKey { Generation = 3, Suite = "xwing", Begun = new Tick(11), HeldBy = "", Epochs = [4] },
        ],
    };

    [Fact]
    public void Keys_are_told_in_lines()
    {
        using var lines = new StringWriter();
        KeyVerbs.Show(new Output(isJson: false, isVerbose: false, lines, Stream.Null, TextWriter.Null), Ring);
        Assert.Equal(
            """
            custody  fabric
            key 1    xwing, since tick 7, held by master key ab, no epoch: it can be retired
            key 2    xwing1024, since tick 9, held by master key ab, epochs 1 to 3
            key 3    xwing, since tick 11, held by its owner, epoch 4

            """.ReplaceLineEndings("\n"),
            lines.ToString().ReplaceLineEndings("\n"));
    }

    [Fact]
    public void Keys_have_the_shape_that_scripts_rely_on()
    {
        using var json = new MemoryStream();
        KeyVerbs.Show(new Output(isJson: true, isVerbose: false, TextWriter.Null, json, TextWriter.Null), Ring);
        using var document = JsonDocument.Parse(json.ToArray());
        JsonElement key = document.RootElement.GetProperty("keys")[1];
        Assert.Equal("fabric", document.RootElement.GetProperty("custody").GetString());
        Assert.Equal(5_000, document.RootElement.GetProperty("bytes").GetInt32());
        Assert.Equal(
            """{"generation":2,"suite":"xwing1024","begunTick":9,"heldBy":"ab","epochs":[1,2,3]}""", key.GetRawText());
    }
}
